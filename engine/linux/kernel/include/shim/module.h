/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Modules: all are built in. module_init() leaves its function in a table that the boot walks, in the order of
 * linking. Module parameters keep their defaults. Per-CPU data of one CPU, static keys and kobjects are what
 * they look like.
 */
#ifndef SHIM_MODULE_H
#define SHIM_MODULE_H

struct module { int unused; };
#define THIS_MODULE ((struct module *)NULL)
#define EXPORT_SYMBOL(name)
#define EXPORT_SYMBOL_GPL(name)
#define MODULE_LICENSE(text)
#define MODULE_AUTHOR(text)
#define MODULE_DESCRIPTION(text)
#define MODULE_ALIAS(text)
#define MODULE_PARM_DESC(name, text)
#define MODULE_SOFTDEP(text)
#define module_param(name, type, mode)
#define module_param_named(name, variable, type, mode)
struct shim_initcall { const char *name; int (*function)(void); };
#define module_init(call) \
	static const struct shim_initcall shim_initcall_##call \
		__attribute__((used, section("shim_initcalls"))) = { #call, call };
#define module_exit(call) static void __attribute__((used)) shim_exitcall_##call(void) { call(); }
#define subsys_initcall module_init
#define late_initcall module_init
/* module_dm(): of device-mapper.h, in 6.12 */
#define request_module(...) (-ENOENT)
#define try_module_get(module) true
#define __module_get(module) ((void)(module))
#define module_put(module) ((void)(module))
#define S_IRUGO 0444
#define S_IWUSR 0200

#define alloc_percpu(type) ((type *)kzalloc(sizeof(type), GFP_KERNEL))
#define free_percpu(p) kfree(p)
#define per_cpu_ptr(p, cpu) (p)
#define this_cpu_ptr(p) (p)
#define raw_cpu_ptr(p) (p)
#define this_cpu_inc(variable) ((variable)++)
#define this_cpu_dec(variable) ((variable)--)
#define this_cpu_add(variable, value) ((variable) += (value))
#define this_cpu_read(variable) (variable)
#define DEFINE_PER_CPU(type, name) type name

struct static_key { int enabled; };
struct static_key_false { struct static_key key; };
struct static_key_true { struct static_key key; };
#define STATIC_KEY_FALSE_INIT { { 0 } }
#define DECLARE_STATIC_KEY_FALSE(name) extern struct static_key_false name
#define DEFINE_STATIC_KEY_FALSE(name) struct static_key_false name = STATIC_KEY_FALSE_INIT
#define DEFINE_STATIC_KEY_TRUE(name) struct static_key_true name = { { 1 } }
#define static_key_enabled(k) ((k)->enabled > 0)
#define static_branch_unlikely(k) unlikely((k)->key.enabled > 0)
#define static_branch_likely(k) likely((k)->key.enabled > 0)
#define static_branch_enable(k) ((k)->key.enabled = 1)
#define static_branch_disable(k) ((k)->key.enabled = 0)
#define static_branch_inc(k) ((k)->key.enabled++)
#define static_branch_dec(k) ((k)->key.enabled--)

#endif
