/* The memory of Python's str: characters of 8, 16 or 32 bits, as wide as the widest one needs.
 *
 * Why C: JavaScript keeps text with 8 or 16 bits a character, so most text is copied as it is, at the speed of memory; UTF-8
 * between the two would be encoded and decoded, and CPython would keep it with the str.
 *
 * CPython has no functions for that memory, only macros, and the struct differs between versions: probe_text finds where its
 * parts are. Where it does not, and for a str of a subclass, text goes through a codec.
 */
#include "shim.h"

/* Behind an object's head are the length, the hash and the state, in which `width`, `compact` and `ascii` stand together. */
static struct {
  int known;
  int shift;            /* of these bits in the state */
  size_t ascii, others; /* where the characters are, of ASCII and of other text */
} layout;

enum { WIDTH_BITS = 7, COMPACT_BIT = 8, ASCII_BIT = 16, TEXT_BITS = 31 };

static u32 text_state(PyObject *text) {
  u32 state;
  __builtin_memcpy(&state, (char *)fields_of(text) + 2 * sizeof(Py_ssize_t), sizeof state);
  return state;
}

static int same_bytes(const char *a, const char *b, size_t length) {
  while (length && *a == *b) a++, b++, length--;
  return !length;
}

/* Where the two characters of this str are: `bytes`, which are asked for in all places. 0: in none. */
static size_t find_characters(PyObject *text, const char *bytes, size_t length) {
  size_t at = 2 * sizeof(Py_ssize_t) + sizeof(u64), last = at + 6 * sizeof(u64);
  while (at < last && !same_bytes((char *)fields_of(text) + at, bytes, length)) at += sizeof(u64);
  return at < last ? at : 0;
}

/* Measures this version's str by one of each width. */
static void probe_text(void) {
  static const char *const utf8[4] = {"ab", "\xc3\xa9\xc3\xa8", "\xe2\x82\xac\xe2\x82\xad",
                                      "\xf0\x9f\x98\x80\xf0\x9f\x98\x81"};
  static const char *const bytes[4] = {"ab", "\xe9\xe8", "\xac\x20\xad\x20", "\x00\xf6\x01\x00\x01\xf6\x01\x00"};
  static const u32 bits[4] = {1 | COMPACT_BIT | ASCII_BIT, 1 | COMPACT_BIT, 2 | COMPACT_BIT, 4 | COMPACT_BIT};
  PyObject *texts[4];
  size_t places[4];
  int made = 1, shift = 0;
  for (int i = 0; i < 4; i++) {
    texts[i] = py.PyUnicode_DecodeUTF8(utf8[i], (Py_ssize_t)text_length(utf8[i]), "strict");
    made &= texts[i] != 0;
    places[i] = texts[i] ? find_characters(texts[i], bytes[i], 2 * (i ? bits[i] & WIDTH_BITS : 1)) : 0;
  }
  for (int same = 0; made && !same && shift < 24; shift += !same) {
    same = 1;
    for (int i = 0; i < 4; i++) same &= (text_state(texts[i]) >> shift & TEXT_BITS) == bits[i];
  }
  for (int i = 0; i < 4; i++) release(texts[i]);
  layout.shift = shift, layout.ascii = places[0], layout.others = places[1];
  layout.known = made && shift < 24 && places[0] && places[1] && places[1] == places[2] && places[2] == places[3];
  py.PyErr_Clear();
}

/* The memory of a str. 0: it is not known. */
static int find_text(PyObject *object, struct text *text) {
  u32 bits = layout.known ? text_state(object) >> layout.shift & TEXT_BITS : 0;
  if (!(bits & COMPACT_BIT)) return 0;
  text->width = bits & WIDTH_BITS;
  text->length = (size_t)py.PyUnicode_GetLength(object);
  text->data = (u8 *)fields_of(object) + (bits & ASCII_BIT ? layout.ascii : layout.others);
  return 1;
}

static u32 read_unit(const u8 *units, size_t index) {
  unsigned short unit;
  __builtin_memcpy(&unit, units + 2 * index, 2);
  return unit;
}

static u32 is_surrogate(u32 unit) { return (unit & 0xf800) == 0xd800; }

/* Whether two units are one character. */
static int is_pair(const u8 *units, size_t index, size_t length) {
  return (read_unit(units, index) & 0xfc00) == 0xd800 && index + 1 < length &&
         (read_unit(units, index + 1) & 0xfc00) == 0xdc00;
}

static size_t count_pairs(const u8 *units, size_t length) {
  size_t pairs = 0;
  for (size_t i = 0; i < length; i++)
    if (is_pair(units, i, length)) pairs++, i++;
  return pairs;
}

static void read_characters(u8 *to, const u8 *units, size_t length) {
  for (size_t i = 0; i < length; i++, to += 4) {
    u32 character = read_unit(units, i);
    if (is_pair(units, i, length)) character = 0x10000 + ((character & 0x3ff) << 10 | (read_unit(units, ++i) & 0x3ff));
    __builtin_memcpy(to, &character, 4);
  }
}

/* A str of UTF-16, which need not be aligned. A half of a pair is a character by itself, in Python as well. */
static PyObject *new_text(const u8 *units, size_t length) {
  u32 all = 0, surrogates = 0;
  int little_endian = -1;
  struct text text;
  for (size_t i = 0; i < length; i++) {
    u32 unit = read_unit(units, i);
    all |= unit, surrogates |= is_surrogate(unit);
  }
  if (length < 2 || !layout.known)
    return py.PyUnicode_DecodeUTF16((const char *)units, (Py_ssize_t)(2 * length), "surrogatepass", &little_endian);
  size_t pairs = surrogates ? count_pairs(units, length) : 0;
  /* `all` has the highest bit of the widest character */
  PyObject *made = py.PyUnicode_New((Py_ssize_t)(length - pairs), pairs ? 0x10ffff : all);
  if (!made || !find_text(made, &text)) return made;
  if (text.width == 4) read_characters(text.data, units, length);
  else if (text.width == 2) memcpy(text.data, units, 2 * length);
  else
    for (size_t i = 0; i < length; i++) text.data[i] = (u8)read_unit(units, i);
  return made;
}

/* Whether a character of it is half of a pair in UTF-16, so that two such texts may be the same text in JavaScript. */
static int has_surrogates(const struct text *text) {
  u32 found = 0;
  for (size_t i = 0; text->width > 1 && i < text->length; i++) {
    u32 surrogate = is_surrogate(read_unit(text->data, text->width == 2 ? i : 2 * i));
    found |= surrogate && (text->width == 2 || !read_unit(text->data, 2 * i + 1));
  }
  return (int)found;
}

/* How many units of UTF-16 a str of 32 bits a character takes. */
static size_t count_units(const struct text *text) {
  size_t units = text->length;
  for (size_t i = 0; i < text->length; i++) units += read_unit(text->data, 2 * i + 1) != 0;
  return units;
}

/* Writes them. */
static void write_units(u8 *to, const struct text *text) {
  for (size_t i = 0; i < text->length; i++) {
    u32 character;
    __builtin_memcpy(&character, text->data + 4 * i, 4);
    if (character < 0x10000) {
      __builtin_memcpy(to, &character, 2);
      to += 2;
      continue;
    }
    u32 pair = (0xd7c0 + (character >> 10)) | (0xdc00 | (character & 0x3ff)) << 16;
    __builtin_memcpy(to, &pair, 4);
    to += 4;
  }
}
