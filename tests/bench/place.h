// SPDX-License-Identifier: Apache-2.0
// Where the operations run: a directory with files and secrets, peers on loopback, documents.
#pragma once

#include <memory>
#include <string>

#include "userspace/base/descriptor.h"
#include "userspace/base/result.h"

namespace ambit::bench {

class Place {
 public:
  /// Makes /tmp/ambit-bench.XXXXXX with a copy of `ops` in it; what is opened there has four
  /// components.
  [[nodiscard]] static Result<std::unique_ptr<Place>> make(const std::string& ops);
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place();

  [[nodiscard]] const std::string& directory() const { return directory_; }
  [[nodiscard]] std::string path(const std::string& below) const {
    return directory_ + "/" + below;
  }
  [[nodiscard]] std::string held() const { return path("keys/allowed"); }
  [[nodiscard]] std::string scope() const { return path("scope.yaml"); }
  [[nodiscard]] std::string catalogue() const { return path("catalogue"); }
  [[nodiscard]] int tcp_port() const { return tcp_port_; }
  [[nodiscard]] int udp_port() const { return udp_port_; }
  /// Takes what came, so that no queue is full at the next run.
  void empty_queues() const;

 private:
  Place() = default;
  [[nodiscard]] Result<void> make_files(const std::string& ops) const;
  [[nodiscard]] Result<void> make_documents() const;
  [[nodiscard]] Result<void> make_peers();

  std::string directory_;
  Descriptor tcp_;
  Descriptor udp_;
  int tcp_port_ = 0;
  int udp_port_ = 0;
};

}  // namespace ambit::bench
