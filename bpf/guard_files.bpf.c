// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* The guard on mounts, and the gains of privilege that it reports. */
#include "bpf/lib/credential.bpf.h"
#include "bpf/lib/guard.bpf.h"

char _license[] __weak SEC("license") = "GPL";

/* ---- mounts ---- */

#define AMBIT_MNT_SHARED 0x1000
#define AMBIT_MS_REMOUNT 32u
#define AMBIT_MS_MOVE 8192u
#define AMBIT_MS_PROPAGATION (1u << 17 | 1u << 18 | 1u << 19 | 1u << 20)

/* What is mounted there is seen outside the task: it is a mount namespace of others, or what
 * happens in this one goes over to its peers.
 */
CORE_INLINE int is_seen_outside(struct mount *mount)
{
	__u32 space = BPF_CORE_READ(mount, mnt_ns, ns.inum);

	return space == ambit_mount_namespaces[0] || space == ambit_mount_namespaces[1] ||
	       (BPF_CORE_READ(mount, mnt.mnt_flags) & AMBIT_MNT_SHARED);
}

CORE_INLINE struct mount *mount_of(struct vfsmount *mnt)
{
	return (void *)mnt - bpf_core_field_offset(struct mount, mnt);
}

/* A directory in which credentials are known, or one above; or a credential. */
AMBIT_GLOBAL int hides_credentials(struct ambit_scratch *scratch, __u64 dentry_address, __u64 mnt)
{
	struct dentry *dentry = (struct dentry *)dentry_address;
	struct core_inode_key key = {};
	struct inode *inode;
	__u32 space;

	if (!scratch)
		return 1;
	space = scratch->subject.policy.credential_space;
	inode = BPF_CORE_READ(dentry, d_inode);
	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFDIR) {
		inode_key(&key, inode, space);
		return !!bpf_map_lookup_elem(&anchors, &key);
	}
	return recognise(scratch, space, (__u64)inode, dentry_address, mnt) ||
	       scratch->walk.match.count;
}

AMBIT_GLOBAL int guard_mount(struct ambit_scratch *scratch, __u64 dentry, __u64 mnt)
{
	struct ambit_guarded what = {.operation = CORE_OPERATION_mount,
				     .aim = CORE_AIM_MACHINE,
				     .privilege = CORE_PRIVILEGE_mounts};

	if (!scratch)
		return 1;
	what.dentry = dentry;
	what.mnt = mnt;
	return guard(scratch, &what);
}

static __always_inline int on_mount(struct path *path, __u32 moves, __u32 hook)
{
	struct ambit_entry entry;
	int state = enter(&entry, hook);
	struct dentry *dentry;
	struct vfsmount *mnt;

	if (state != AMBIT_DECIDE)
		return state;
	dentry = BPF_CORE_READ(path, dentry);
	mnt = BPF_CORE_READ(path, mnt);
	if (!is_seen_outside(mount_of(mnt)))
		return 0;
	if (guard_name(entry.scratch, (__u64)dentry, (__u64)mnt, CORE_OPERATION_mount))
		return 1;
	if (!moves && !hides_credentials(entry.scratch, (__u64)dentry, (__u64)mnt))
		return 0;
	return guard_mount(entry.scratch, (__u64)dentry, (__u64)mnt);
}

/* Changing how mounts propagate, and mounting anew what is mounted, hides nothing. */
static __always_inline int sb_mount(struct path *path, unsigned long flags)
{
	if (flags & (AMBIT_MS_PROPAGATION | AMBIT_MS_REMOUNT))
		return 0;
	return on_mount(path, !!(flags & AMBIT_MS_MOVE), AMBIT_HOOK_sb_mount);
}
AMBIT_DENY_HOOK(sb_mount, sb_mount, security_sb_mount, (path, flags), const char *device,
		struct path *path, const char *type, unsigned long flags, void *data)

/* A mount that goes away from where it is, or is taken off. */
static __always_inline int on_taken_away(struct vfsmount *mnt, __u32 operation, __u32 hook)
{
	struct mount *mount = mount_of(mnt);
	struct ambit_entry entry;
	int state;

	if (!is_seen_outside(mount))
		return 0;
	state = enter(&entry, hook);
	if (state != AMBIT_DECIDE)
		return state;
	return guard_name(entry.scratch, (__u64)BPF_CORE_READ(mount, mnt.mnt_root), (__u64)mnt,
			  operation);
}

static __always_inline int move_mount(struct path *from, struct path *to)
{
	return on_taken_away(BPF_CORE_READ(from, mnt), CORE_OPERATION_mount,
			     AMBIT_HOOK_move_mount) ||
	       on_mount(to, 0, AMBIT_HOOK_move_mount);
}
AMBIT_DENY_HOOK(move_mount, move_mount, security_move_mount, (from, to), struct path *from,
		struct path *to)

static __always_inline int sb_umount(struct vfsmount *mnt)
{
	return on_taken_away((struct vfsmount *)ADDRESS_OF(mnt), CORE_OPERATION_unmount,
			     AMBIT_HOOK_sb_umount);
}
AMBIT_DENY_HOOK(sb_umount, sb_umount, security_sb_umount, (mnt), struct vfsmount *mnt, int flags)

/* ---- gains of privilege: reported, and left to the kernel ---- */

CORE_INLINE __u64 capabilities(const struct cred *cred)
{
	__u64 permitted = 0;

	bpf_probe_read_kernel(&permitted, sizeof(permitted),
			      (void *)ADDRESS_OF(cred) +
				      bpf_core_field_offset(struct cred, cap_permitted));
	return permitted;
}

static __always_inline void report_gain(struct ambit_entry *entry, struct ambit_guarded *what)
{
	fill_head(entry->scratch, entry->process->slot, AMBIT_KIND_privilege, CORE_EFFECT_allowed);
	emit_guard(entry->scratch, what);
}

static __always_inline int on_new_cred(struct linux_binprm *bprm)
{
	struct ambit_guarded what = {.operation = CORE_OPERATION_exec};
	const struct cred *before = bpf_get_current_task_btf()->cred, *after;
	struct ambit_entry entry;
	struct file *file;

	if (enter(&entry, AMBIT_HOOK_bprm_committing_creds) != AMBIT_DECIDE)
		return 0;
	after = BPF_CORE_READ(bprm, cred);
	what.gained = capabilities(after) & ~capabilities(before);
	what.user = BPF_CORE_READ(after, euid.val);
	if (!what.gained && what.user == BPF_CORE_READ(before, euid.val))
		return 0;
	file = BPF_CORE_READ(bprm, file);
	what.dentry = (__u64)BPF_CORE_READ(file, f_path.dentry);
	what.mnt = (__u64)BPF_CORE_READ(file, f_path.mnt);
	report_gain(&entry, &what);
	return 0;
}

SEC("lsm/bprm_committing_creds")
int BPF_PROG(lsm_bprm_committing_creds, struct linux_binprm *bprm)
{
	return on_new_cred(bprm);
}

SEC("fentry/security_bprm_committing_creds")
int BPF_PROG(fmod_bprm_committing_creds, struct linux_binprm *bprm)
{
	return on_new_cred(bprm);
}

static __always_inline int task_fix_setuid(struct cred *after, const struct cred *before)
{
	struct ambit_guarded what = {.operation = CORE_OPERATION_set_user};
	struct ambit_entry entry;

	if (BPF_CORE_READ(after, euid.val) != 0 || BPF_CORE_READ(before, euid.val) == 0)
		return 0;
	if (enter(&entry, AMBIT_HOOK_task_fix_setuid) == AMBIT_DECIDE)
		report_gain(&entry, &what);
	return 0;
}
AMBIT_DENY_HOOK(task_fix_setuid, task_fix_setuid, security_task_fix_setuid, (after, before),
		struct cred *after, const struct cred *before, int flags)

/* A user namespace in which one has power outside it too: made with capabilities of the host's. */
static __always_inline int create_user_ns(const struct cred *cred)
{
	struct ambit_guarded what = {.operation = CORE_OPERATION_user_namespace};
	struct ambit_entry entry;

	if (enter(&entry, AMBIT_HOOK_create_user_ns) != AMBIT_DECIDE)
		return 0;
	what.gained = capabilities(cred);
	what.user = BPF_CORE_READ(cred, euid.val);
	if (what.gained && BPF_CORE_READ(cred, user_ns, level) == 0)
		report_gain(&entry, &what);
	return 0;
}
AMBIT_DENY_HOOK(create_user_ns, userns_create, security_create_user_ns, (cred),
		const struct cred *cred)
