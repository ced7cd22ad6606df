/* A plugin of QEMU that counts the instructions from one address of the program to another.
 *
 * Arguments: begin=ADDRESS, end=ADDRESS. Whenever the program reaches `end`, it prints a line
 * "instructions NUMBER" to QEMU's log: the instructions since it was last at `begin`.
 *
 * The declarations are those of version 1 of the plugin interface (QEMU 4.2 to 8.2), of which Debian
 * ships no header.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PUBLIC __attribute__((visibility("default")))

struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef struct qemu_info_t qemu_info_t;
typedef void (*on_translation)(uint64_t id, struct qemu_plugin_tb *block);
typedef void (*on_execution)(unsigned int core, void *data);

extern void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, on_translation function);
extern void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *instruction,
                                                   on_execution function, int flags, void *data);
extern void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *instruction,
                                                       int operation, void *counter,
                                                       uint64_t addend);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block,
                                                        size_t index);
extern uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction);
extern void qemu_plugin_outs(const char *text);

PUBLIC int qemu_plugin_version = 1;

enum { NO_REGISTERS = 0, ADD_U64 = 0 };

static uint64_t begin, end;      /* addresses */
static uint64_t executed, start; /* instructions so far, and those before `begin` */

static void at_begin(unsigned int core, void *data) {
  (void)core;
  (void)data;
  start = executed;
}

static void at_end(unsigned int core, void *data) {
  char line[64];
  (void)core;
  (void)data;
  snprintf(line, sizeof line, "instructions %" PRIu64 "\n", executed - start);
  qemu_plugin_outs(line);
}

static void translated(uint64_t id, struct qemu_plugin_tb *block) {
  const size_t count = qemu_plugin_tb_n_insns(block);
  (void)id;
  for (size_t i = 0; i < count; ++i) {
    struct qemu_plugin_insn *const instruction = qemu_plugin_tb_get_insn(block, i);
    const uint64_t address = qemu_plugin_insn_vaddr(instruction);
    if (address == begin) {
      qemu_plugin_register_vcpu_insn_exec_cb(instruction, at_begin, NO_REGISTERS, NULL);
    } else if (address == end) {
      qemu_plugin_register_vcpu_insn_exec_cb(instruction, at_end, NO_REGISTERS, NULL);
    }
    qemu_plugin_register_vcpu_insn_exec_inline(instruction, ADD_U64, &executed, 1);
  }
}

PUBLIC int qemu_plugin_install(uint64_t id, const qemu_info_t *info, int count, char **arguments) {
  (void)info;
  for (int i = 0; i < count; ++i) {
    if (strncmp(arguments[i], "begin=", 6) == 0) {
      begin = strtoull(arguments[i] + 6, NULL, 0);
    } else if (strncmp(arguments[i], "end=", 4) == 0) {
      end = strtoull(arguments[i] + 4, NULL, 0);
    }
  }
  if (begin == 0 || end == 0) {
    return 1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  return 0;
}
