# SPDX-License-Identifier: Apache-2.0
"""What the Kustomize overlays come to, and how podman gives a container the DaemonSet's privileges."""

import json
import shutil
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = ROOT / "packaging/kubernetes/overlays"

# What a key of the pod or container asks of podman. A key that stands in none of these tables is an
# error: a privilege that the manifests gain is not to be lost here.
POD_FLAGS = {"hostPID": ["--pid", "host"], "hostNetwork": ["--network", "host"]}
POD_WITHOUT_MEANING = {
    "serviceAccountName", "automountServiceAccountToken", "enableServiceLinks", "priorityClassName", "nodeSelector",
    "tolerations", "terminationGracePeriodSeconds", "containers", "volumes", "securityContext",
}  # fmt: skip
CONTAINER_ELSEWHERE = {
    "name", "image", "args", "securityContext", "volumeMounts", "startupProbe", "readinessProbe", "livenessProbe",
    "resources",
}  # fmt: skip
SEE_RUNTIME = {"RuntimeDefault": [], "Unconfined": ["unconfined"]}


def why_not():
    """Why the overlays cannot be rendered here; None: they can."""
    if not shutil.which("kubectl"):
        return "there is no kubectl"
    said = subprocess.run(["kubectl", "version", "--client", "-o", "json"], capture_output=True, text=True)
    # Debian 12's kubernetes-client (1.20) has Kustomize 2.0, which takes no directories as resources.
    if said.returncode or "kustomizeVersion" not in json.loads(said.stdout):
        return "this kubectl is older than 1.24 and has a Kustomize that knows no directories"
    return None


def render(overlay):
    text = subprocess.run(
        ["kubectl", "kustomize", str(OVERLAYS / overlay)], check=True, capture_output=True, text=True
    ).stdout
    return [document for document in yaml.safe_load_all(text) if document]


def as_the_api_knows_it(daemon_set):
    """Taken into kubectl's own types and written again: what they do not have is gone."""
    said = subprocess.run(
        ["kubectl", "set", "image", "--local", "-f", "-", "ambit=image", "-o", "json"],
        input=json.dumps(daemon_set), check=True, capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(said.stdout)


def lost(before, after, where=""):
    """Paths that are in `before` and not in `after`."""
    if isinstance(before, dict):
        return [
            path
            for key, value in before.items()
            for path in (lost(value, after[key], f"{where}/{key}") if key in after else [f"{where}/{key}"])
        ]
    if isinstance(before, list):
        return [path for n, value in enumerate(before) for path in lost(value, after[n], f"{where}/{n}")]
    return []


def of_kind(documents, kind):
    return [document for document in documents if document["kind"] == kind]


def pod_of(documents):
    (daemon_set,) = of_kind(documents, "DaemonSet")
    return daemon_set["spec"]["template"]["spec"]


def container_of(documents):
    (container,) = pod_of(documents)["containers"]
    return container


def only(known, mapping, where):
    unknown = set(mapping) - set(known)
    if unknown:
        raise ValueError(f"{where}: no rule for {sorted(unknown)}")


def pod_arguments(pod):
    only(set(POD_FLAGS) | POD_WITHOUT_MEANING, pod, "pod")
    arguments = [word for key, words in POD_FLAGS.items() if pod.get(key) for word in words]
    context = pod["securityContext"]
    only({"runAsUser", "runAsGroup", "seccompProfile", "appArmorProfile", "seLinuxOptions"}, context, "pod's context")
    arguments += ["--user", f"{context['runAsUser']}:{context['runAsGroup']}"]
    for word, key in (("seccomp", "seccompProfile"), ("apparmor", "appArmorProfile")):
        for value in SEE_RUNTIME[context[key]["type"]]:
            arguments += ["--security-opt", f"{word}={value}"]
    return arguments + ["--security-opt", f"label=type:{context['seLinuxOptions']['type']}"]


def container_arguments(container):
    only(CONTAINER_ELSEWHERE, container, "container")
    context = container["securityContext"]
    only({"privileged", "readOnlyRootFilesystem", "capabilities"}, context, "container's context")
    arguments = ["--privileged"] if context["privileged"] else []
    if context["readOnlyRootFilesystem"]:
        arguments += ["--read-only", "--read-only-tmpfs=false"]
    for key, flag in (("drop", "--cap-drop"), ("add", "--cap-add")):
        for name in context["capabilities"][key]:
            arguments += [flag, name]
    return arguments


def lay_config_map(data, directory):
    """As kubelet does: files behind ..data, a symlink to the directory of this version."""
    version = directory / "..version"
    version.mkdir(parents=True)
    for name, text in data.items():
        (version / name).write_text(text)
        (directory / name).symlink_to(f"..data/{name}")
    (directory / "..data").symlink_to(version.name)


def mount_arguments(documents, scratch, instead):
    """`instead` has directories of this test for paths of the host that are not to be shared with others."""
    maps = {document["metadata"]["name"]: document["data"] for document in of_kind(documents, "ConfigMap")}
    volumes = {volume["name"]: volume for volume in pod_of(documents)["volumes"]}
    arguments = []
    for mount in container_of(documents)["volumeMounts"]:
        only({"name", "mountPath", "readOnly", "mountPropagation"}, mount, "mount")
        volume = volumes[mount["name"]]
        if "configMap" in volume:
            source = scratch / "volumes" / volume["name"]
            lay_config_map(maps[volume["configMap"]["name"]], source)
        else:
            path = Path(volume["hostPath"]["path"])
            source = Path(instead.get(str(path), path))
            if volume["hostPath"]["type"] == "DirectoryOrCreate":
                for directory in (path, source):  # the first is where it is mounted, in the host's tree
                    directory.mkdir(parents=True, exist_ok=True)
        options = ["ro"] if mount.get("readOnly") else []
        options += {"HostToContainer": ["rslave"], None: []}[mount.get("mountPropagation")]
        arguments += ["-v", ":".join([str(source), mount["mountPath"], ",".join(options)]).rstrip(":")]
    return arguments


def podman_arguments(documents, scratch, instead):
    pod, container = pod_of(documents), container_of(documents)
    return pod_arguments(pod) + container_arguments(container) + mount_arguments(documents, scratch, instead)
