// SPDX-License-Identifier: Apache-2.0
#include "userspace/kernel/programs.h"

#include <array>

namespace ambit::kernel {

namespace {

using model::Backend;

// Each hook of the first two backends is one LSM program and one fmod_ret program.
#define AMBIT_PAIR(hook, concern, required, without)                                            \
  ProgramSpec{"lsm_" #hook, #hook, concern, Backend::lsm, "bpf_lsm_" #hook, required, without}, \
      ProgramSpec {                                                                             \
    "fmod_" #hook, #hook, concern, Backend::fmod_ret, "security_" #hook, required, without      \
  }

#define AMBIT_CGROUP(hook, without)                                                        \
  ProgramSpec {                                                                            \
    #hook, #hook, Concern::network, Backend::portable, "", true, without, AttachBy::cgroup \
  }

#define AMBIT_ONCE(program, backend, without) \
  ProgramSpec { #program, #program, Concern::cleanup, backend, "", false, without, AttachBy::once }
#define AMBIT_CARRY(hook, target, without)                                                 \
  ProgramSpec{"lsm_" #hook,       #hook, Concern::network, Backend::lsm,                   \
              "bpf_lsm_" #target, false, without,          AttachBy::demand},              \
      ProgramSpec {                                                                        \
    "fmod_" #hook, #hook, Concern::network, Backend::fmod_ret, "security_" #target, false, \
        without, AttachBy::demand                                                          \
  }
// The guard's are not required: without one of them the rest holds.
#define AMBIT_GUARD(hook, without) AMBIT_PAIR(hook, Concern::guard, false, without)

constexpr std::array kSpecs{
    AMBIT_PAIR(task_alloc, Concern::membership, true, "children leave the task"),
    ProgramSpec{"task_newtask", "task_newtask", Concern::membership, Backend::none, "", true,
                "children leave the task"},
    ProgramSpec{"process_exec", "process_exec", Concern::exec, Backend::none, "", true,
                "executions are not seen"},
    ProgramSpec{"prepare_exec", "prepare_exec", Concern::membership, Backend::portable,
                "__traceiter_sched_prepare_exec", false,
                "a thread that executes loses what its process held"},
    ProgramSpec{"process_exit", "process_exit", Concern::cleanup, Backend::none, "", true,
                "processes that ended are listed"},
    AMBIT_PAIR(file_open, Concern::files, true, "files are not bound"),
    AMBIT_PAIR(file_receive, Concern::files, true, "descriptors from outside are not bound"),
    AMBIT_PAIR(file_permission, Concern::files, true,
               "open credential files can be read after the scope ends"),
    AMBIT_PAIR(path_truncate, Concern::files, false, "truncate() of a credential is not stopped"),
    AMBIT_PAIR(path_link, Concern::files, false, "a hard link hides a credential made later"),
    AMBIT_PAIR(path_rename, Concern::files, false, "a rename hides a credential made later"),
    AMBIT_PAIR(path_unlink, Concern::files, false,
               "unlink() of a credential or the event file is not stopped"),
    AMBIT_PAIR(path_chmod, Concern::files, false,
               "chmod() of a credential or the event file is not stopped"),
    AMBIT_PAIR(path_chown, Concern::files, false,
               "chown() of a credential or the event file is not stopped"),
    ProgramSpec{"lsm_bprm_check", "bprm_check", Concern::exec, Backend::lsm,
                "bpf_lsm_bprm_check_security", true, "executions are not bound"},
    ProgramSpec{"fmod_bprm_check", "bprm_check", Concern::exec, Backend::fmod_ret,
                "security_bprm_check", true, "executions are not bound"},
    ProgramSpec{"lsm_inode_free", "inode_free", Concern::cleanup, Backend::lsm,
                "bpf_lsm_inode_free_security", false, "numbers of deleted files stay known"},
    ProgramSpec{"fmod_inode_free", "inode_free", Concern::cleanup, Backend::fmod_ret,
                "security_inode_free", false, "numbers of deleted files stay known"},
    AMBIT_PAIR(socket_create, Concern::network, true, "other address families are not bound"),
    AMBIT_PAIR(socket_post_create, Concern::network, true, "a task's own sockets are not known"),
    ProgramSpec{"udp_port", "udp_port", Concern::network, Backend::lsm, "udp_lib_get_port", true,
                "a task's own UDP ports are not known"},
    ProgramSpec{"udp_port", "udp_port", Concern::network, Backend::fmod_ret, "udp_lib_get_port",
                true, "a task's own UDP ports are not known"},
    AMBIT_PAIR(socket_listen, Concern::network, true, "a task's own ports are not known"),
    AMBIT_PAIR(socket_getsockname, Concern::network, false,
               "a task's own ports that the kernel chose are not known"),
    AMBIT_PAIR(socket_setsockopt, Concern::network, true,
               "a port that a task lets others have stays its own"),
    AMBIT_PAIR(socket_connect, Concern::network, true, "connections are not bound"),
    AMBIT_PAIR(socket_sendmsg, Concern::network, true, "sends are not bound"),
    // Before 6.5 sendfile and splice passed no socket hook; kernel_sendpage went with that.
    ProgramSpec{.program = "lsm_socket_splice",
                .hook = "socket_splice",
                .concern = Concern::network,
                .backend = Backend::lsm,
                .function = "bpf_lsm_file_permission",
                .required = false,
                .without = "sendfile and splice into a socket are not bound",
                .only_with = "kernel_sendpage"},
    ProgramSpec{.program = "fmod_socket_splice",
                .hook = "socket_splice",
                .concern = Concern::network,
                .backend = Backend::fmod_ret,
                .function = "security_file_permission",
                .required = false,
                .without = "sendfile and splice into a socket are not bound",
                .only_with = "kernel_sendpage"},
    AMBIT_PAIR(socket_recvmsg, Concern::network, true, "receiving goes on after the scope ends"),
    ProgramSpec{"lsm_sctp_connect", "sctp_connect", Concern::network, Backend::lsm,
                "bpf_lsm_sctp_bind_connect", false, "addresses in options of SCTP are not bound"},
    ProgramSpec{"fmod_sctp_connect", "sctp_connect", Concern::network, Backend::fmod_ret,
                "security_sctp_bind_connect", false, "addresses in options of SCTP are not bound"},
    ProgramSpec{"lsm_tun_create", "tun_create", Concern::network, Backend::lsm,
                "bpf_lsm_tun_dev_create", false, "an interface of one's own is not stopped"},
    ProgramSpec{"fmod_tun_create", "tun_create", Concern::network, Backend::fmod_ret,
                "security_tun_dev_create", false, "an interface of one's own is not stopped"},
    ProgramSpec{"lsm_tun_open", "tun_open", Concern::network, Backend::lsm, "bpf_lsm_tun_dev_open",
                false, "an interface of another is not stopped"},
    ProgramSpec{"fmod_tun_open", "tun_open", Concern::network, Backend::fmod_ret,
                "security_tun_dev_open", false, "an interface of another is not stopped"},
    AMBIT_PAIR(unix_stream_connect, Concern::unix_sockets, true, "Unix sockets are not bound"),
    AMBIT_PAIR(unix_may_send, Concern::unix_sockets, true, "Unix datagrams are not bound"),
    ProgramSpec{"lsm_sk_free", "sk_free", Concern::cleanup, Backend::lsm,
                "bpf_lsm_sk_free_security", false, "ports of closed sockets stay a task's own"},
    ProgramSpec{"fmod_sk_free", "sk_free", Concern::cleanup, Backend::fmod_ret, "security_sk_free",
                false, "ports of closed sockets stay a task's own"},
    ProgramSpec{"unix_data_ready", "unix_data_ready", Concern::unix_sockets, Backend::portable,
                "__bpf_trace_sk_data_ready", false, "Unix sockets are not bound"},
    ProgramSpec{"holder_recognise", "holder_recognise", Concern::files, Backend::portable, "", true,
                "files are not bound", AttachBy::call},
    ProgramSpec{"sys_exit", "sys_exit", Concern::files, Backend::portable, "", false,
                "a file known by pattern alone is opened through a mount that was made later",
                AttachBy::demand},
    AMBIT_CARRY(carry_file, file_permission, "what goes through files and pipes is not followed"),
    AMBIT_CARRY(carry_map, mmap_file, "what goes through shared memory is not followed"),
    AMBIT_CARRY(carry_send, socket_sendmsg, "what goes through Unix sockets is not followed"),
    AMBIT_CARRY(carry_datagram, unix_may_send, "what goes through Unix sockets is not followed"),
    AMBIT_CARRY(carry_receive, socket_recvmsg, "what goes through Unix sockets is not followed"),
    AMBIT_CARRY(carry_trace, ptrace_access_check,
                "what one process reads of another is not followed"),
    AMBIT_GUARD(task_kill, "a task that runs as root can signal Ambit's processes"),
    AMBIT_GUARD(file_send_sigiotask, "a task that runs as root can signal Ambit by F_SETSIG"),
    AMBIT_GUARD(ptrace_access_check, "processes outside the task can be traced and read"),
    AMBIT_GUARD(ptrace_traceme, "a task's process can make one outside its tracer"),
    AMBIT_GUARD(task_setnice, "a task that runs as root can starve Ambit by nice values"),
    AMBIT_GUARD(task_setscheduler, "a task that runs as root can starve Ambit by its scheduling"),
    AMBIT_GUARD(task_setioprio, "a task that runs as root can change Ambit's I/O priority"),
    AMBIT_GUARD(task_setrlimit, "a task that runs as root can change Ambit's limits"),
    AMBIT_GUARD(bpf, "a task that runs as root can change Ambit's maps and programs"),
    AMBIT_GUARD(perf_event_open, "a task that runs as root can observe the whole machine by perf"),
    AMBIT_GUARD(kernel_read_file, "a task that runs as root can load kernel modules from files"),
    AMBIT_GUARD(kernel_load_data, "a task that runs as root can load kernel modules from memory"),
    AMBIT_GUARD(locked_down, "a task that runs as root can use I/O ports and kernel registers"),
    AMBIT_GUARD(sb_mount, "a task that runs as root can mount over credentials"),
    AMBIT_GUARD(move_mount, "a task that runs as root can move mounts over credentials"),
    AMBIT_GUARD(sb_umount, "a task that runs as root can unmount where the event file lies"),
    AMBIT_GUARD(file_ioctl, "a task's process can type into its terminal"),
    AMBIT_GUARD(file_ioctl_compat, "a 32-bit process of a task can type into its terminal"),
    AMBIT_GUARD(task_fix_setuid, "processes that become root are not reported"),
    ProgramSpec{"lsm_bprm_committing_creds", "bprm_committing_creds", Concern::guard, Backend::lsm,
                "bpf_lsm_bprm_committing_creds", false, "set-user-id programs are not reported"},
    ProgramSpec{"fmod_bprm_committing_creds", "bprm_committing_creds", Concern::guard,
                Backend::fmod_ret, "security_bprm_committing_creds", false,
                "set-user-id programs are not reported"},
    ProgramSpec{"lsm_create_user_ns", "create_user_ns", Concern::guard, Backend::lsm,
                "bpf_lsm_userns_create", false, "new user namespaces are not reported"},
    ProgramSpec{"fmod_create_user_ns", "create_user_ns", Concern::guard, Backend::fmod_ret,
                "security_create_user_ns", false, "new user namespaces are not reported"},
    ProgramSpec{"set_state", "set_state", Concern::network, Backend::portable, "", true,
                "a task's own ports are not known"},
    AMBIT_CGROUP(cgroup_connect4, "connections over IPv4 are not bound"),
    AMBIT_CGROUP(cgroup_connect6, "connections over IPv6 are not bound"),
    AMBIT_CGROUP(cgroup_sendmsg4, "datagrams over IPv4 are not bound"),
    AMBIT_CGROUP(cgroup_sendmsg6, "datagrams over IPv6 are not bound"),
    AMBIT_CGROUP(cgroup_sock_create, "a task's own sockets are not known"),
    AMBIT_CGROUP(cgroup_sock_release, "ports of closed sockets stay a task's own"),
    AMBIT_CGROUP(cgroup_post_bind4, "a task's own UDP ports are not known"),
    AMBIT_CGROUP(cgroup_post_bind6, "a task's own UDP ports are not known"),
    AMBIT_CGROUP(cgroup_setsockopt, "a port that a task lets others have stays its own"),
    AMBIT_CGROUP(cgroup_egress, "connected sockets go on after the scope ends"),
    AMBIT_CGROUP(sockops_established, "what is opened later does not bind open connections"),
    ProgramSpec{"sk_msg_verdict", "sk_msg_verdict", Concern::network, Backend::portable, "", true,
                "what is opened later does not bind open connections", AttachBy::sockmap},
    ProgramSpec{"change_task", "change_task", Concern::membership, Backend::none, "", true,
                "tasks are not ended from outside", AttachBy::call},
    AMBIT_ONCE(find_level, Backend::none, "in a PID namespace processes have the host's numbers"),
    AMBIT_ONCE(find_locks, Backend::lsm, "each open of a task costs a whole walk"),
    AMBIT_ONCE(find_locks, Backend::fmod_ret, "each open of a task costs a whole walk"),
};

#undef AMBIT_GUARD
#undef AMBIT_PAIR
#undef AMBIT_CGROUP
#undef AMBIT_ONCE

}  // namespace

std::span<const ProgramSpec> program_specs() { return kSpecs; }

}  // namespace ambit::kernel
