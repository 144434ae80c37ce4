/* The one walker: passes over values by the layouts in numbers.h and tells a visitor of the references in them.
 *
 * Why C: references in values that will not be read (a record that failed half-way, a message that was refused) leak
 * unless they are released where the bytes are.
 *
 * A container may be incomplete, so its count is not trusted: the wire is flat, and what a layout calls value simply
 * follows as the next value. A length that runs past the end, and an unknown tag, stop the walk.
 */
#include "shim.h"

/* By direction and tag; every tag has an entry, because the enum is made of the same lines. */
#define LAYOUT_BOTH(tag, layout) {layout, layout},
#define LAYOUT_EACH(tag, from_javascript, to_javascript) {from_javascript, to_javascript},
static const char *const payloads[TAG_COUNT][2] = {TAGS(LAYOUT_BOTH, LAYOUT_EACH)};

/* The bytes of a field's type: u8, i32, u32, f64, u64. */
static size_t field_size(const char *type) { return type[1] == '8' ? 1 : type[1] == '3' ? 4 : 8; }

/* Passes over a payload up to its first value. 0: it runs past the end. */
static int skip_fields(struct reader *r, const char *layout) {
  u32 number = 0; /* the field before, for TYPE* */
  while (*layout) {
    while (*layout++ != ':') {
    }
    if (*layout == 'v' || *layout == 'p') return 1; /* value, pair */
    size_t size = field_size(layout);
    while (*layout && *layout != ' ' && *layout != '*') layout++;
    if (*layout == '*') size *= number, layout++;
    if (size > (size_t)(r->end - r->at)) return 0;
    number = 0;
    __builtin_memcpy(&number, r->at, size < sizeof number ? size : sizeof number);
    r->at += size;
  }
  return 1;
}

/* Passes over one tag and its payload; the values in it, if it is a container, follow. */
static void skip_tag(struct reader *r, enum direction direction, const struct visitor *visitor) {
  u8 tag = read_u8(r);
  struct reader fields = *r;
  const char *layout = tag < TAG_COUNT ? payloads[tag][direction] : 0;
  if (!layout || !skip_fields(r, layout)) {
    r->at = r->end;
  } else if ((tag == TAG_OBJECT || (tag == TAG_LARGE && direction == TO_JAVASCRIPT)) && visitor->object) {
    fields.at = r->at - sizeof(u64);
    visitor->object(visitor->state, read_object(&fields));
  } else if (tag == TAG_JS && visitor->js) {
    u32 heap = read_u32(&fields);
    visitor->js(visitor->state, heap, read_u32(&fields));
  }
}

/* Walks all values up to the reader's end. */
static void skip_values(struct reader *r, enum direction direction, const struct visitor *visitor) {
  while (r->at < r->end) skip_tag(r, direction, visitor);
}
