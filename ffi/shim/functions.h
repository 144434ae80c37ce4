/* The functions that other files than their own use, in the order in which shim.c includes the files.
 *
 * A file uses only what files before it define, so the compiler does not need these: they are for readers and editors.
 * A test keeps them equal to what really crosses files.
 */
#ifndef PYAWAIT_FUNCTIONS_H
#define PYAWAIT_FUNCTIONS_H

/* base.c */
void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memset(void *to, int value, size_t length);
static size_t text_length(const char *text);
static void *grow(void *array, u32 *capacity, u32 index, size_t item);
static const char *resolve_capi(symbol_finder find, void *library);
static PyTypeObject *type_of(PyObject *object);
static PyObject *new_reference(PyObject *object);
static void release(PyObject *object);
static int probe_layout(void);
static PyObject *raise_error(PyObject *type, const char *message);
static void raise_object(PyObject *error);
static PyObject *fetch_error(void);
static PyObject *tuple_of(PyObject *const *items, size_t count);
static PyObject *pair_of(PyObject *first, PyObject *second);
static PyObject *vectorcall(PyObject *callable, PyObject *const *arguments, size_t count);
static PyObject *call_method(PyObject *object, PyObject *method_name, PyObject *argument);
static int is_true(PyObject *result);
static int has_flag(PyObject *object, unsigned long flags);
static u32 argument_u32(PyObject *tuple, Py_ssize_t index);
static PyTypeObject *new_type(const char *type_name, size_t size, int slot, void (*function)(void),
                              void (*dealloc)(PyObject *));
static void *fields_of(PyObject *object);
static void free_object(PyObject *self);

/* platform_posix.c, platform_win32.c */
static const char *resolve_system(symbol_finder find, void *library);
static char *find_stack(size_t *size);
static void *program_of(void *libc);
static int start_thread(void *(*body)(void *));
static void write_wake(long long pipe);
static void write_bell(long long pipe);
static void close_bell(long long pipe);
static u64 microseconds_now(void);
static void yield_processor(void);
static void exit_now(int code);

/* signals_posix.c, signals_win32.c */
static void save_interrupt_action(void);
static void restore_interrupt_action(void);
static void keep_child_action(void);
static void read_host_signal(int number);
static void share_signal(int number, enum signal_owner owner, int chain);
static u32 listen_to_signal(int number);
static void interrupt_system_call(unsigned long thread);
#ifndef _WIN32
static void signals_forked(void);
#endif

/* owner.c */
static void own(struct owner *owner, PyObject *object);
static void release_owned(struct owner *owner, PyObject *object);
static void release_all_owned(struct owner *owner);
static void begin_reading(struct reader *r, struct heap *heap);
static void end_reading(struct reader *r);
#ifdef PYAWAIT_CHECK_OBJECTS
static int is_given(PyObject *object);
#endif

/* text.c */
static void probe_text(void);
static int find_text(PyObject *object, struct text *text);
static PyObject *new_text(const u8 *units, size_t length);
static int has_surrogates(const struct text *text);
static size_t count_units(const struct text *text);
static void write_units(u8 *to, const struct text *text);

/* decode.c */
static u8 read_u8(struct reader *r);
static u32 read_u32(struct reader *r);
static u64 read_u64(struct reader *r);
static PyObject *read_object(struct reader *r);
static PyObject *malformed(void);
static PyObject *decode(struct reader *r);

/* skip.c */
static void skip_tag(struct reader *r, enum direction direction, const struct visitor *visitor);
static void skip_values(struct reader *r, enum direction direction, const struct visitor *visitor);

/* writer.c */
static int enlarge(struct writer *w, size_t more);
static u8 *reserve(struct writer *w, size_t more);
static int raise_failure(const struct writer *w);
static void write_u8(struct writer *w, u8 value);
static void write_u32(struct writer *w, u32 value);
static void write_raw(struct writer *w, const void *bytes, size_t length);
static void patch_u32(struct writer *w, size_t at, u32 value);
static void write_tag_u32(struct writer *w, u8 tag, u32 value);
static void write_tag_f64(struct writer *w, u8 tag, double value);
static void write_bytes(struct writer *w, u8 tag, const char *bytes, size_t length);
static void write_object(struct writer *w, PyObject *object, u64 kinds);
static void write_large(struct writer *w, PyObject *object, u32 width, const void *data, size_t length);
static void keep_until_sent(struct writer *w, PyObject *proxy);
static void release_sent(struct writer *w);
static void roll_back(struct writer *w, size_t start);
static int write_reference(struct writer *w, PyObject *container);
static void add_seen(struct writer *w, PyObject *container);
static u32 index_of(const struct writer *w, const PyObject *container);
static void put_seen(struct writer *w, PyObject *container, u32 index);
static void mark_written(struct writer *w, const PyObject *container, int begins);
static void forget_seen(struct writer *w, u32 count);
static void refuse(struct writer *w, PyObject *container);
static int is_refused(const struct writer *w, const PyObject *container);
static void clear_seen(struct writer *w);

/* scalars.c */
static int get_number(PyObject *object, double *number);
static PyObject *item_of(PyObject *sequence, int is_list, Py_ssize_t index);
static int encode_numbers(struct writer *w, PyObject *sequence, int is_list, Py_ssize_t count);
static int encode_int(struct writer *w, PyObject *object);
static int encode_text(struct writer *w, PyObject *object);
static int encode_bytes(struct writer *w, PyObject *object);

/* shapes.c */
static struct shape *find_shape(struct writer *w, PyObject *dict);
static void remember_shape(struct writer *w, PyObject *dict);
static void begin_shaped(struct writer *w, struct shape *shape);
static void forget_shapes(struct writer *w, size_t start);
static void clear_shapes(struct writer *w);

/* kinds.c */
static int is_own_failure(void);
static u64 kinds_of(PyObject *object);
static u64 async_kind(PyObject *function);
static u64 async_kind_of_method(PyObject *method);
static int is_asynchronous(PyObject *callable, u64 kinds);

/* encode.c */
static int encode_sequence(struct writer *w, PyObject *sequence, int is_list);
static int is_text(PyObject *object);
static int encode_dict(struct writer *w, PyObject *dict);
static int encode(struct writer *w, PyObject *object);

/* outcome.c */
static void encode_error(struct writer *w, PyObject *error);
static void encode_outcome(struct writer *w, PyObject *result);

/* queue.c */
static void lock_registry(void);
static void unlock_registry(void);
static int push(struct chunk **queue, struct chunk *chunk);
static struct chunk *take_all(struct chunk **queue);
static struct chunk *new_chunk(struct heap *heap, const u8 *data, size_t length);
static void add_use(struct heap *heap);
static void drop_use(struct heap *heap);
static void free_chunk(struct chunk *chunk);
static void drop_all(struct chunk **queue);
static int next_record(struct chunk *chunk, struct reader *r);
static int has_ended(struct heap *heap);
static int is_closing(void);
static struct heap *newest_heap(void);
static struct heap *find_heap(u32 id);
static struct heap *heap_on_thread(unsigned long thread);
static struct heap *find_open_heap(u32 id);
static struct heap *require_heap(u32 id);
static struct loop *find_loop(u32 id);
static struct loop *loop_here(void);
static struct loop *loop_of(PyObject *object);
static struct loop *running_loop(void);
static u32 running_loop_id(void);
static void wake(struct loop *loop);
static int ring_bell(struct heap *heap);
static void ring(struct heap *heap);
static enum pushed push_to_loop(u32 id, struct chunk *chunk);
static int push_kind(u32 id, struct heap *heap, u8 kind);

/* spin.c */
static void set_spin(int microseconds);
static int may_spin(struct spinner *spinner);
static void count_spin(struct spinner *spinner, int hit);
static int spin_until(int (*found)(void *), void *state, const struct spinner *spinner);
static int is_opaque(const struct loop *loop);
static int spin_on_inbox(struct loop *loop);

/* children.c */
static void watch_forks(symbol_finder find, void *library);
static PyObject *shim_ignore_keys(PyObject *self, PyObject *whether);
static PyObject *shim_stream_for_child(PyObject *self, PyObject *stream);

#ifndef _WIN32
static int in_python(void);
#endif

/* faults.c */
static void save_fault_actions(void);
static void guard_faults(void);
static PyObject *shim_save_faults(PyObject *self, PyObject *unused);
static PyObject *shim_guard_faults(PyObject *self, PyObject *unused);

/* batch.c */
static size_t begin_record(struct writer *w, struct heap *heap, u8 kind);
static void end_record(struct writer *w, size_t start);
static void send_copy(struct heap *heap, const struct writer *w);
static void flush_batch(struct loop *loop);
static void schedule_flush(struct loop *loop);
static struct writer begin_batch_record(struct loop *loop, struct heap *heap, u8 kind);
static void drop_batch_record(struct loop *loop, struct writer *w);
static void end_batch_record(struct loop *loop, struct heap *heap, struct writer *w);
static void send_in_order(struct heap *heap, struct writer *w);
static void send_number(struct heap *heap, u8 kind, u32 number);
static void send_release(struct heap *heap, u32 handle, u32 count);
static void close_reader(struct reader *r);

/* scope.c */
static int make_scope_type(void);
static void write_context(struct writer *w, struct heap *heap);
static PyObject *enter_scope(struct heap *heap, u32 id, struct scope **scope);
static void leave_scope(PyObject *token);
static PyObject *new_context(struct heap *heap, PyObject *given, u32 scope);
static PyObject *exit_context(PyObject *context, PyObject *result);

/* attach.c */
static struct attachment *find_attachment(void);
static void attach(struct heap *heap);
static void detach(struct heap *heap);
static struct level leave_level(struct attachment *attachment);
static void enter_level(struct attachment *attachment, struct level level);
static void detach_fully(struct heap *heap);

/* requests.c */
static struct future_slot *find_slot(struct loop *loop, u32 index);
static void free_slots(struct loop *loop);
static void abandon_slots(struct loop *loop);
static int encode_request(struct writer *w, struct heap *heap, PyObject *tuple);
static PyObject *shim_request(PyObject *self, PyObject *tuple);
static PyObject *shim_abort(PyObject *self, PyObject *tuple);
static PyObject *shim_give_up(PyObject *self, PyObject *tuple);
static PyObject *decode_answer(struct reader *r, struct heap *heap);
static void settle_request(struct loop *loop, struct heap *heap, struct reader *r);
static void mark_signal_taken(struct loop *loop, u32 index);
static PyObject *raise_no_return(void);
static void fail_requests(struct loop *loop, struct heap *heap);

/* frames.c */
static PyObject *call_plainly(PyObject *callee, PyObject *const *arguments, u32 count, PyObject *keywords);
static int make_frame_type(void);
static PyObject *call_framed(PyObject *callee, PyObject *const *arguments, u32 count, PyObject *keywords);
static PyObject *call_tuple_framed(PyObject *callee, PyObject *tuple, PyObject *keywords);

/* visits.c */
static void wake_visitor(struct attachment *attachment);
static int make_visit_type(void);
static PyObject *new_visit(struct heap *heap, PyObject *loop, void (*body)(struct visit *));
static int waits_for(struct heap *heap, const struct attachment *here);
static int waits_for_visit(struct heap *heap, PyObject *loop);
static int stands_still(PyObject *loop, const struct attachment *here);
static struct js_call *find_call(struct heap *heap, u32 id);
static void unlink_call(struct heap *heap, struct js_call *call);
static void end_call(struct heap *heap, struct js_call *call);
static int has_visit(PyObject *loop);
static void run_visit_here(PyObject *loop);
static int make_visit(PyObject *self);
static PyObject *visit_loop(struct heap *heap, PyObject *loop, PyObject *callee, PyObject *arguments,
                            PyObject *keywords);

/* calls.c */
static u32 next_call_id(void);
static void wait_for_answer(struct heap *heap, struct js_call *call);
static PyObject *shim_call(PyObject *self, PyObject *tuple);
static enum answered answer_call(struct heap *heap, u32 id, const u8 *data, size_t length);
static void fail_calls(struct heap *heap);
static PyObject *shim_release(PyObject *self, PyObject *tuple);
static PyObject *shim_item(PyObject *self, PyObject *tuple);
static PyObject *shim_event(PyObject *self, PyObject *tuple);

/* stays.c */
static void end_stay(struct heap *heap, u32 id);
static void end_stays(struct heap *heap);
static PyObject *call_on_loop(struct heap *heap, u32 current, PyObject *callee, PyObject *const *arguments, u32 count,
                              PyObject *keywords);
static PyObject *get_on_loop(struct heap *heap, u32 current, PyObject *object, PyObject *key, int item);
static PyObject *stay_on(struct heap *heap, u32 current);

/* tasks.c */
static PyObject *decode_call(struct reader *r, caller make);
static PyObject *decode_call_in(PyObject *context, struct reader *r);
static int make_task_types(void);
static void start_task(struct loop *loop, struct heap *heap, u32 id, u32 serial, PyObject *awaitable,
                       PyObject *context);
static void show_awaiter(struct loop *loop, struct heap *heap, struct reader *r);
static void cancel_task(struct heap *heap, u32 id, u32 serial);
static void cancel_tasks(struct loop *loop, struct heap *heap);
static void drop_tasks(struct loop *loop, struct heap *heap, int tell);

/* loop.c */
static void wake_touched_loops(int called_loop_bound);
static PyObject *shim_open_loop(PyObject *self, PyObject *tuple);
static PyObject *shim_move_background(PyObject *self, PyObject *tuple);
static PyObject *shim_close_loop(PyObject *self, PyObject *id_object);
static void end_heap(struct heap *heap);
static void refuse_chunk(struct chunk *chunk);

/* buffer.c */
static PyObject *shim_release_lock(PyObject *self, PyObject *lock);
static int make_lock_type(void);
static int lock_buffer(struct writer *w, PyObject *object);

/* napi.c */
static void resolve_node_api(symbol_finder find, void *program);

/* thread.c */
static void *loop_thread(void *unused);
static void exit_in_any_case(int code, int milliseconds);

/* invoke.c */
static void invoke(struct heap *heap, int operation, const u8 *in, size_t length, u8 *out, size_t capacity);

#endif
