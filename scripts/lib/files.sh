# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced with the root directory in $root. What of the project the checks look at: tracked files and new ones.

: "${root:?}"

# project_files [PATHSPEC…]
project_files() {
  # A clone that belongs to the user who called sudo is no reason to refuse.
  git -C "$root" -c safe.directory="$root" ls-files --cached --others --exclude-standard -- "$@" |
    while IFS= read -r file; do
      # Deleted, but not yet from the index.
      if [[ -f $root/$file ]]; then printf '%s\n' "$file"; fi
    done
}

cpp_files() {
  project_files '*.h' '*.c' '*.cpp'
}

# What starts with #! and names a shell; what is sourced says so to shellcheck itself.
shell_files() {
  project_files | while IFS= read -r file; do
    if [[ $file == *.sh ]] || head -c 64 "$root/$file" | head -n 1 | grep -aqE '^#!.*[/ ](ba|da|)sh( |$)'; then
      printf '%s\n' "$file"
    fi
  done
}
