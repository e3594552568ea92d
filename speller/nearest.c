/* The search of neighbours.py, compiled: it finds the same in a tenth of the time, and without Python's lock.

   The words lie side by side by length, then by rank; rank 0 is the most frequent one's. What is found is one number a
   word: its distance, times how many words there are, plus its rank. So numbers are in the order of the nearest. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#ifdef __GNUC__
#define INLINE static inline __attribute__((always_inline))
#define PREFETCH(address) __builtin_prefetch(address)
#else
#define INLINE static inline
#define PREFETCH(address) (void)(address)
#endif

enum {
    LETTERS = 64,   /* a written word has no more: its letters are the bits of one number */
    FARTHEST = 255, /* no bound is higher; a word of this bound may be as far or farther */
    BLOCK = 16,     /* so many bounds are looked through at once */
    LANES = 8,      /* so many words are compared at once */
    TOGETHER = 128, /* so many are gathered for it, of one length */
    LATIN = 256,    /* the code points below have a table of their own */
    SLOTS = 128     /* a power of 2, above LETTERS */
};

typedef struct {
    const uint64_t *bits;        /* by word: which features it has */
    const uint8_t *held;         /* by word: how many these are */
    const int32_t *rank;         /* by word */
    const int64_t *start;        /* by length: the first word of so many letters; then the end */
    const int64_t *text;         /* by length: where in `letters` the words of so many begin */
    const char *letters;         /* the code points of all words' letters, `width` bytes each */
    const uint32_t *character;   /* by feature: the letter that a word with it has … */
    const int32_t *times;        /* … and how often at least */
    int64_t words, longest, width, features;
} Words;

typedef struct {
    int64_t length;
    uint64_t bits;
    uint64_t latin[LATIN];       /* by letter: in which places of the word it stands, bit by bit */
    uint32_t letter[SLOTS];      /* the letters beyond, an open hash table: 0 where none is */
    uint64_t beyond[SLOTS];      /* in which places they stand */
} Written;

/* The nearest words so far. */
typedef struct {
    int64_t *number;             /* ascending */
    int64_t size, wanted;
    int64_t beyond;              /* none is farther than the nearest by more than this … */
    int64_t most;                /* … and none that is still to come farther than this */
} Nearest;

INLINE uint8_t count_bits(uint64_t bits) {
    bits -= bits >> 1 & 0x5555555555555555u;
    bits = (bits & 0x3333333333333333u) + (bits >> 2 & 0x3333333333333333u);
    bits = (bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
    return (uint8_t)(bits * 0x0101010101010101u >> 56);
}

INLINE int64_t lowest_bit(unsigned bits) {
#ifdef __GNUC__
    return __builtin_ctz(bits);
#else
    return count_bits((bits & (0 - bits)) - 1);
#endif
}

/* The slot of a letter, or the free one where it would be. */
INLINE unsigned slot_of(const Written *written, uint32_t letter) {
    unsigned slot = letter % SLOTS;
    while (written->letter[slot] && written->letter[slot] != letter) slot = (slot + 1) % SLOTS;
    return slot;
}

INLINE uint64_t places_of(const Written *written, uint32_t letter) {
    return letter < LATIN ? written->latin[letter] : written->beyond[slot_of(written, letter)];
}

static void read_written(Written *written, const uint32_t *letters, int64_t length, const Words *words) {
    *written = (Written){.length = length};
    for (int64_t place = 0; place < length; place++) {
        const uint64_t bit = (uint64_t)1 << place;
        if (letters[place] < LATIN) {
            written->latin[letters[place]] |= bit;
        } else {
            unsigned slot = slot_of(written, letters[place]);
            written->letter[slot] = letters[place];
            written->beyond[slot] |= bit;
        }
    }
    for (int64_t feature = 0; feature < words->features; feature++) {
        uint64_t has = count_bits(places_of(written, words->character[feature])) >= words->times[feature];
        written->bits |= has << feature;
    }
}

/* What the distance of a written word to each of some words of one length is never below; see `Signatures`. */
INLINE void fill_bounds(uint8_t *bound, const uint64_t *bits, const uint8_t *held, int64_t words, uint64_t own,
                        uint8_t longer) {
    const uint8_t own_held = count_bits(own);
    for (int64_t word = 0; word < words; word++) {
        uint8_t most_held = held[word] > own_held ? held[word] : own_held;
        uint8_t beyond = (uint8_t)(most_held - count_bits(bits[word] & own));
        bound[word] = beyond > longer ? beyond : longer;
    }
}

/* Which of BLOCK bounds are the one sought, bit by bit. */
INLINE unsigned find_bound(const uint8_t *bound, uint8_t sought) {
#ifdef __SSE2__
    __m128i equal = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)bound), _mm_set1_epi8((char)sought));
    return (unsigned)_mm_movemask_epi8(equal);
#else
    unsigned found = 0;
    for (unsigned place = 0; place < BLOCK; place++) found |= (unsigned)(bound[place] == sought) << place;
    return found;
#endif
}

/* The optimal string alignment distances to words of one length, a column at a time, bit by bit: Hyyrö, "A bit-vector
   algorithm for computing Levenshtein and Damerau edit distances", 2003. From one place of the written word to the next,
   the distance is `more` by one, or `less`; from one letter of the other word to the next, it goes `up`, or `down`. */
INLINE void fill_distances(int64_t *far, const Written *written, const char *const *spelt, int64_t length,
                           int64_t width) {
    const int last = (int)written->length - 1;
    uint64_t more[LANES], less[LANES] = {0}, same[LANES] = {0}, before[LANES] = {0}, here[LANES];
    for (int lane = 0; lane < LANES; lane++) {
        more[lane] = ~(uint64_t)0;
        far[lane] = written->length ? written->length : length;
    }
    if (!written->length) return;
    for (int64_t place = 0; place < length; place++) {
        for (int lane = 0; lane < LANES; lane++)
            here[lane] = width == 1 ? written->latin[((const uint8_t *)spelt[lane])[place]]
                                    : places_of(written, ((const uint32_t *)spelt[lane])[place]);
        for (int lane = 0; lane < LANES; lane++) {
            uint64_t swapped = (~same[lane] & here[lane]) << 1 & before[lane];
            same[lane] = (((here[lane] & more[lane]) + more[lane]) ^ more[lane]) | here[lane] | less[lane] | swapped;
            uint64_t up = less[lane] | ~(same[lane] | more[lane]), down = same[lane] & more[lane];
            far[lane] += (int64_t)(up >> last & 1) - (int64_t)(down >> last & 1);
            up = up << 1 | 1;
            more[lane] = down << 1 | ~(same[lane] | up);
            less[lane] = same[lane] & up;
            before[lane] = here[lane];
        }
    }
}

/* Whether a word of such a number is one of the nearest so far. */
INLINE int is_near(const Nearest *nearest, int64_t number) {
    return nearest->size < nearest->wanted || number < nearest->number[nearest->size - 1];
}

static void keep(Nearest *nearest, int64_t number, int64_t words) {
    int64_t *const found = nearest->number;
    int64_t turn = nearest->size < nearest->wanted ? nearest->size++ : nearest->size - 1;
    for (; turn && found[turn - 1] > number; turn--) found[turn] = found[turn - 1];
    found[turn] = number;
    int64_t last = found[0] / words + nearest->beyond;
    int64_t farthest = nearest->size == nearest->wanted ? found[nearest->size - 1] / words : last;
    nearest->most = last < farthest ? last : farthest;
}

/* The letters of a word of so many. */
INLINE const char *letters_of(const Words *words, int64_t place, int64_t length, int64_t width) {
    return words->letters + (words->text[length] + (place - words->start[length]) * length) * width;
}

/* Compares the written word with some of those of one length. */
INLINE void compare(const Words *words, const Written *written, Nearest *nearest, const int64_t *some, int64_t size,
                    int64_t length, int64_t width) {
    for (int64_t first = 0; first < size; first += LANES) {
        const char *spelt[LANES];
        int64_t far[LANES];
        for (int lane = 0; lane < LANES; lane++) {
            int64_t place = some[first + lane < size ? first + lane : first];
            spelt[lane] = letters_of(words, place, length, width);
        }
        fill_distances(far, written, spelt, length, width);
        for (int lane = 0; lane < LANES && first + lane < size; lane++) {
            int64_t number = far[lane] * words->words + words->rank[some[first + lane]];
            if (far[lane] <= nearest->most && is_near(nearest, number)) keep(nearest, number, words->words);
        }
    }
}

/* Finds the nearest words. `bound` has room for all words and BLOCK more. */
INLINE void search(const Words *words, const Written *written, Nearest *nearest, uint8_t *bound, int64_t width) {
    int64_t some[TOGETHER];
    int64_t from = 0, to = -1; /* the words of these lengths have bounds */
    for (int64_t reached = 0; reached <= FARTHEST && reached <= nearest->most; reached++) {
        /* Words that are longer or shorter by more are farther. */
        const int64_t about = reached < FARTHEST ? reached : words->longest + LETTERS;
        const int64_t shortest = written->length > about ? written->length - about : 0;
        const int64_t longest = written->length + about < words->longest ? written->length + about : words->longest;
        for (int64_t length = shortest; length <= longest; length++) {
            const int64_t start = words->start[length], longer = llabs(length - written->length);
            if (from <= length && length <= to) continue;
            fill_bounds(bound + start, words->bits + start, words->held + start, words->start[length + 1] - start,
                        written->bits, (uint8_t)(longer < FARTHEST ? longer : FARTHEST));
        }
        from = shortest, to = longest;
        for (int64_t length = shortest; length <= longest; length++) {
            int64_t end = words->start[length + 1], size = 0;
            for (int64_t block = words->start[length]; block < end; block += BLOCK) {
                for (unsigned found = find_bound(bound + block, (uint8_t)reached); found; found &= found - 1) {
                    const int64_t place = block + lowest_bit(found);
                    if (place >= end || !is_near(nearest, reached * words->words + words->rank[place])) {
                        end = place; /* those behind it have higher ranks */
                        break;
                    }
                    PREFETCH(letters_of(words, place, length, width));
                    some[size++] = place;
                }
                if (size > TOGETHER - BLOCK) {
                    compare(words, written, nearest, some, size, length, width);
                    size = 0;
                }
            }
            compare(words, written, nearest, some, size, length, width);
        }
    }
    while (nearest->size && nearest->number[nearest->size - 1] / words->words > nearest->most) nearest->size--;
}

typedef void Search(const Words *, const Written *, Nearest *, uint8_t *);

static void search_anywhere(const Words *words, const Written *written, Nearest *nearest, uint8_t *bound) {
    words->width == 1 ? search(words, written, nearest, bound, 1) : search(words, written, nearest, bound, 4);
}

#if defined(__x86_64__) && defined(__GNUC__)
/* In half the time: the processor counts the bits of eight words at once, and compares them at once. */
__attribute__((target("avx512vpopcntdq,avx512bw,avx512vl"))) static void search_by_eights(
    const Words *words, const Written *written, Nearest *nearest, uint8_t *bound) {
    words->width == 1 ? search(words, written, nearest, bound, 1) : search(words, written, nearest, bound, 4);
}

static Search *choose_search(void) {
    int by_eights = __builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512vl");
    return by_eights ? search_by_eights : search_anywhere;
}
#else
static Search *choose_search(void) { return search_anywhere; }
#endif

/* search((bits, held, rank, start, text, letters, character, times), written, ends, beyond, numbers, sizes): see
   `Neighbours._compiled`, which is all that calls it; it checks nothing. */
static PyObject *search_all(PyObject *module, PyObject *arguments) {
    enum { BITS, HELD, RANK, START, TEXT, SPELT, CHARACTER, TIMES, WRITTEN, ENDS, NUMBERS, SIZES, BUFFERS };
    Py_buffer buffers[BUFFERS];
    long long beyond;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "(y*y*y*y*y*y*y*y*)y*y*Lw*w*", &buffers[BITS], &buffers[HELD], &buffers[RANK],
                          &buffers[START], &buffers[TEXT], &buffers[SPELT], &buffers[CHARACTER], &buffers[TIMES],
                          &buffers[WRITTEN], &buffers[ENDS], &beyond, &buffers[NUMBERS], &buffers[SIZES]))
        return NULL;
    const int64_t *start = buffers[START].buf, *text = buffers[TEXT].buf, *ends = buffers[ENDS].buf;
    const int64_t longest = buffers[TEXT].len / (Py_ssize_t)sizeof *text - 1;
    const int64_t letters = text[longest] + (start[longest + 1] - start[longest]) * longest;
    const Words words = {
        .bits = buffers[BITS].buf,
        .held = buffers[HELD].buf,
        .rank = buffers[RANK].buf,
        .start = start,
        .text = text,
        .letters = buffers[SPELT].buf,
        .character = buffers[CHARACTER].buf,
        .times = buffers[TIMES].buf,
        .words = start[longest + 1],
        .longest = longest,
        .width = letters ? buffers[SPELT].len / letters : 1,
        .features = buffers[TIMES].len / (Py_ssize_t)sizeof *words.times,
    };
    int64_t *sizes = buffers[SIZES].buf, *numbers = buffers[NUMBERS].buf;
    const int64_t several = buffers[SIZES].len / (Py_ssize_t)sizeof *sizes;
    const int64_t wanted = several ? buffers[NUMBERS].len / (Py_ssize_t)sizeof *numbers / several : 0;
    Search *const find = choose_search();
    uint8_t *bound = malloc((size_t)words.words + BLOCK);
    if (bound) {
        Py_BEGIN_ALLOW_THREADS;
        for (int64_t row = 0; row < several; row++) {
            const int64_t first = row ? ends[row - 1] : 0;
            Written written;
            Nearest nearest = {numbers + row * wanted, .wanted = wanted, .beyond = beyond, .most = INT64_MAX};
            read_written(&written, (const uint32_t *)buffers[WRITTEN].buf + first, ends[row] - first, &words);
            find(&words, &written, &nearest, bound);
            sizes[row] = nearest.size;
        }
        Py_END_ALLOW_THREADS;
        free(bound);
    }
    for (int each = 0; each < BUFFERS; each++) PyBuffer_Release(&buffers[each]);
    if (!bound) return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"search", search_all, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "speller._nearest", .m_methods = methods};

PyMODINIT_FUNC PyInit__nearest(void) { return PyModuleDef_Init(&module); }
