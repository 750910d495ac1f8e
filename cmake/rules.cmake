# SPDX-License-Identifier: Apache-2.0
# ambit_rules: the shipped catalogue, embedded (rules/credentials/*.yaml; opt-in ones too, by name).
add_library(ambit_rules INTERFACE)
