// SPDX-License-Identifier: Apache-2.0
// Parts of sentences for a person. Whatever comes from outside is made visible first.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/model/event.h"

namespace ambit::sink {

[[nodiscard]] std::string shown(std::string_view bytes);
/// As a value in YAML: quoted where it has to be.
[[nodiscard]] std::string yaml_word(std::string_view bytes);
[[nodiscard]] std::string process_words(const std::optional<model::Process>& process);
[[nodiscard]] std::string file_verb(const std::vector<std::string>& flags);
/// `api.example.com port 443 (203.0.113.9, tcp)`, `unix socket /run/x`.
/// What an event of kind `guard` tried.
[[nodiscard]] std::string guarded_verb(std::string_view operation);
[[nodiscard]] std::string destination_words(const model::Destination& destination);
/// The line of `allow` or `destinations` that names an address, host or Unix socket: `{host:
/// api.example.com, ports: [443]}`.
[[nodiscard]] std::string destination_rule(const model::Destination& destination);
/// `denied`; in shadow `would have been denied`.
[[nodiscard]] std::string outcome_words(const model::Verdict& verdict);

}  // namespace ambit::sink
