from collections.abc import Buffer

def search(
    words: tuple[Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer],
    written: Buffer,
    ends: Buffer,
    beyond: int,
    numbers: Buffer,
    sizes: Buffer,
    /,
) -> None: ...
