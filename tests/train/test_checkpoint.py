import pytest
import torch

from speller.train.checkpoint import Done, load_checkpoint, read_tensors, save_checkpoint, write_tensors


def optimizer_of(model):
    return torch.optim.AdamW(model.parameters(), lr=1e-2)


def learn(model, optimizer, steps):
    source = torch.randint(5, 30, (4, 6), generator=torch.Generator().manual_seed(1))
    for step in range(steps):
        log_probs = model(source, torch.tensor([6, 3, 4, 1]), source)
        (-log_probs[..., 5 + step]).mean().backward()
        optimizer.step()
        optimizer.zero_grad()


@pytest.fixture
def saved(make_model, tmp_path):
    """A model, its optimiser and the checkpoint that was made of them."""
    model = make_model("gru")
    optimizer = optimizer_of(model)
    learn(model, optimizer, 3)
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, model, optimizer, Done(3, 60.5, "a CPU"))
    return model, optimizer, path


def test_training_goes_on_as_if_it_had_not_stopped(saved, make_model):
    model, optimizer, path = saved
    other = make_model("gru")
    other_optimizer = optimizer_of(other)
    learn(other, other_optimizer, 1)  # what is there before is replaced
    assert load_checkpoint(path, other, other_optimizer) == Done(3, 60.5, "a CPU")
    learn(model, optimizer, 4)
    learn(other, other_optimizer, 4)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


def test_before_the_first_step(make_model, tmp_path):
    model = make_model()
    save_checkpoint(tmp_path / "first", model, optimizer_of(model), Done(0, 60.5, "a CPU"))
    assert load_checkpoint(tmp_path / "first", make_model(), optimizer_of(make_model())) == Done(0, 60.5, "a CPU")


def test_saving_takes_the_place_of_what_was_there(saved):
    model, optimizer, path = saved
    save_checkpoint(path, model, optimizer, Done(8, 60.5, "a CPU"))
    assert load_checkpoint(path, model, optimizer) == Done(8, 60.5, "a CPU")
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    beside = path.with_name("beside")
    beside.touch()
    assert path.stat().st_mode == beside.stat().st_mode  # others may read it who may read what we write


def test_a_save_that_fails_leaves_the_old_one(saved, monkeypatch):
    model, optimizer, path = saved

    def full(path, data):
        with open(path, "wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError("no space left")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match="no space left"):
        save_checkpoint(path, model, optimizer, Done(8, 60.5, "a CPU"))
    assert load_checkpoint(path, model, optimizer) == Done(3, 60.5, "a CPU")


@pytest.mark.parametrize("length", [0, 7, 100, -1])
def test_a_file_that_is_cut_off(saved, length):
    model, optimizer, path = saved
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ValueError, match=rf"{path}: not a whole safetensors file"):
        load_checkpoint(path, model, optimizer)


def test_a_file_that_is_not_there(make_model, tmp_path):
    with pytest.raises(ValueError, match=r"absent: there is no such file"):
        read_tensors(tmp_path / "absent")
    with pytest.raises(ValueError, match=rf"{tmp_path}: not a whole safetensors file"):
        read_tensors(tmp_path)


def test_a_checkpoint_of_another_model(saved, make_model):
    *_, path = saved
    for other in (make_model("lstm"), make_model("gru", symbols=31)):
        with pytest.raises(ValueError, match=rf"{path}: a checkpoint of another model: one with another cell"):
            load_checkpoint(path, other, optimizer_of(other))


def test_weights_alone_are_no_checkpoint(saved, tmp_path):
    model, optimizer, _ = saved
    write_tensors(tmp_path / "weights", {f"model.{name}": value for name, value in model.state_dict().items()})
    with pytest.raises(ValueError, match=r"weights: a checkpoint of another model: 'step'"):
        load_checkpoint(tmp_path / "weights", model, optimizer)


def test_tensors_and_what_is_said_of_them(tmp_path):
    tensors = {"a": torch.arange(6.0).view(2, 3).T, "b": torch.tensor(3)}
    write_tensors(tmp_path / "some", tensors, step="4")
    found, metadata = read_tensors(tmp_path / "some")
    assert metadata == {"step": "4"}
    assert set(found) == {"a", "b"}
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)
