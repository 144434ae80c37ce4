/* Signals on Windows: it has none that a runtime and Python could take from each other. See signals_posix.c. */
#include "shim.h"

enum { SIGNALS = 65 };

static void save_interrupt_action(void) {}
static void restore_interrupt_action(void) {}
static void keep_child_action(void) {}
static void read_host_signal(int number) { (void)number; }
static void share_signal(int number, enum signal_owner owner, int chain) { (void)number, (void)owner, (void)chain; }
static u32 listen_to_signal(int number) { return (void)number, 0; }
static void interrupt_system_call(unsigned long thread) { (void)thread; }
