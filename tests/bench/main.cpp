// SPDX-License-Identifier: Apache-2.0
// Measures what Ambit costs on this machine and prints it as a table (scripts/bench).
#include <getopt.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/bench/report.h"
#include "tests/bench/scaling.h"
#include "tests/bench/settings.h"

namespace ambit::bench {
namespace {

struct Call {
  BenchOptions options;
  ReportOptions report;
  int rounds = 7;
  bool scaling = false;
  std::string ops;
};

int usage() {
  std::fputs(
      "usage: bench [-b BACKEND] [-r ROUNDS] [-n BATCHES] [-w HOOK]... [-c] [-s] OPS AMBIT\n"
      "  -w HOOK  leave a hook out   -c  the clock counts instructions   -s  scaling as well\n",
      stderr);
  return 2;
}

bool take_backend(const std::string& name, model::Backend& backend) {
  for (const model::Backend known :
       {model::Backend::lsm, model::Backend::fmod_ret, model::Backend::portable})
    if (name == model::name_of(known)) {
      backend = known;
      return true;
    }
  return false;
}

bool take_call(int argc, char** argv, Call& call) {
  for (int option = 0; (option = ::getopt(argc, argv, "b:r:n:w:cs")) != -1;) switch (option) {
      case 'b':
        if (!take_backend(::optarg, call.options.backend)) return false;
        break;
      case 'r':
        call.rounds = std::atoi(::optarg);
        break;
      case 'n':
        call.options.batches = std::atoi(::optarg);
        break;
      case 'w':
        call.options.without.emplace_back(::optarg);
        break;
      case 'c':
        call.report.counts = true;
        break;
      case 's':
        call.scaling = true;
        break;
      default:
        return false;
    }
  if (argc - ::optind != 2) return false;
  call.ops = argv[::optind];
  call.options.ambit = argv[::optind + 1];
  call.report.backend = call.options.backend;
  return call.rounds > 0 && call.options.batches > 0;
}

int complain(const Error& error) {
  std::fprintf(stderr, "bench: %s\n", error.message.c_str());
  return 1;
}

int run(const Call& call) {
  auto place = Place::make(call.ops);
  if (!place) return complain(place.error());
  std::vector<Round> rounds;
  if (call.report.counts)
    if (auto settled = settle(**place, call.options); !settled) return complain(settled.error());
  for (int i = 0; i < call.rounds; ++i) {
    auto round = measure_round(**place, call.options);
    if (!round) return complain(round.error());
    rounds.push_back(std::move(*round));
  }
  std::fputs(render_costs(rounds, call.report).c_str(), stdout);
  if (!call.scaling) return 0;
  auto scaling = measure_scaling(**place, call.options);
  if (!scaling) return complain(scaling.error());
  std::fputs(render_scaling(*scaling, call.report).c_str(), stdout);
  return 0;
}

}  // namespace
}  // namespace ambit::bench

int main(int argc, char** argv) {
  ambit::bench::Call call;
  if (!ambit::bench::take_call(argc, argv, call)) return ambit::bench::usage();
  return ambit::bench::run(call);
}
