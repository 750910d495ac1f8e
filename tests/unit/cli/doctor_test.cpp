// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "userspace/cli/doctor_facts.h"

namespace {

using namespace ambit;
using namespace ambit::cli;
using pipeline::Class;
using pipeline::Outcome;
using pipeline::Strength;

pipeline::Proof proof_of(model::Backend backend) {
  pipeline::Proof proof;
  proof.backend = backend;
  proof.hooks.push_back({.hook = "file_open",
                         .required = true,
                         .attached = true,
                         .tried = true,
                         .proved = true,
                         .without = "files are not bound"});
  proof.hooks.push_back({.hook = "path_link",
                         .why_not = "this kernel has no bpf_lsm_path_link",
                         .without = "a hard link hides a credential"});
  proof.strengths = {Strength::deny, Strength::deny,  Strength::kill, Strength::none,
                     Strength::none, Strength::alert, Strength::deny};
  proof.attempts.push_back({.operation = "open a credential file",
                            .of = Class::files,
                            .decisive = true,
                            .outcome = Outcome::refused,
                            .error = 1});
  proof.attempts.push_back({.operation = "connect to a Unix socket",
                            .of = Class::unix_sockets,
                            .decisive = true,
                            .outcome = Outcome::passed});
  proof.attempts.push_back({.operation = "make a vsock socket",
                            .of = Class::families,
                            .outcome = Outcome::seen,
                            .note = "elsewhere"});
  return proof;
}

DoctorFacts facts_of_two() {
  DoctorFacts facts;
  facts.version = {.version = "1.2.3", .commit = "0123456789ab", .abi = 7};
  facts.machine.kernel = "6.12.1";
  facts.machine.architecture = "x86_64";
  facts.machine.btf = true;
  facts.machine.lsms = {"lockdown", "yama"};
  facts.backends.push_back({.backend = model::Backend::lsm,
                            .why_not = "bpf is not among the active LSMs (lockdown,yama)",
                            .log = "line 1\nline 2",
                            .remedy = "add bpf to lsm="});
  facts.backends.push_back({.backend = model::Backend::fmod_ret,
                            .available = true,
                            .proof = proof_of(model::Backend::fmod_ret),
                            .storm = pipeline::Storm{.opens = 100}});
  facts.chosen = model::Backend::fmod_ret;
  return facts;
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(DoctorText, SaysOfEachBackendWhetherItCanBeHadAndWhyNot) {
  const std::string text = render_text(facts_of_two(), Style(false));
  EXPECT_TRUE(says(text, "ambit 1.2.3 (commit 0123456789ab, ABI 7)\n")) << text;
  EXPECT_TRUE(says(text, "lsm                     no: bpf is not among the active LSMs")) << text;
  EXPECT_TRUE(says(text, "fmod_ret                yes, 1 of 2 hooks proved <- this one is used\n"));
}

TEST(DoctorText, SaysWhatFollowsForEachClass) {
  const std::string text = render_text(facts_of_two(), Style(false));
  for (const char* row : {"credential files        deny\n", "TCP and UDP             deny\n",
                          "executing programs      kill\n", "Unix sockets            not\n",
                          "other families          alert\n", "the scope's end         deny\n"})
    EXPECT_TRUE(says(text, row)) << row << text;
}

TEST(DoctorText, SaysWhatDoesNotHoldAndHowToGetIt) {
  const std::string text = render_text(facts_of_two(), Style(false));
  EXPECT_TRUE(says(text, "- connect to a Unix socket: neither stopped nor seen\n")) << text;
  EXPECT_TRUE(says(text, "- make a vsock socket, elsewhere: seen and not stopped\n"));
  EXPECT_TRUE(
      says(text, "- hook path_link: this kernel has no bpf_lsm_path_link; a hard link hides"));
  EXPECT_TRUE(says(text, "- for lsm: add bpf to lsm=\n"));
  EXPECT_FALSE(says(text, "open a credential file"));
}

TEST(DoctorText, NamesEachHookAsProvedOrWhyNot) {
  const std::string text = render_text(facts_of_two(), Style(false));
  EXPECT_TRUE(says(text, "file_open               proved\n")) << text;
  EXPECT_TRUE(says(text, "path_link               not proved: this kernel has no"));
}

TEST(DoctorText, DoesNotCallADenyOneThatIsSkipped) {
  DoctorFacts facts = facts_of_two();
  EXPECT_FALSE(says(render_text(facts, Style(false)), "skipped"));
  facts.backends[1].storm = pipeline::Storm{.opens = 100, .through = 40, .skipped = 41};
  const std::string text = render_text(facts, Style(false));
  EXPECT_TRUE(says(text, "credential files        deny, but skipped at times\n")) << text;
  EXPECT_TRUE(says(text, "40 of 100 denied opens went through, 41 programs did not run"));
  EXPECT_TRUE(says(text, "preempt=voluntary"));
}

TEST(DoctorText, SaysWhatIsMissingOnceAndNothingThatItCannotKnow) {
  DoctorFacts facts;
  facts.missing = "this needs root: run it with sudo";
  facts.backends.push_back({.backend = model::Backend::lsm, .why_not = facts.missing});
  facts.backends.push_back({.backend = model::Backend::portable, .why_not = facts.missing});
  const std::string text = render_text(facts, Style(false));
  const std::size_t first = text.find(facts.missing);
  ASSERT_NE(first, std::string::npos) << text;
  EXPECT_EQ(text.find(facts.missing, first + 1), std::string::npos) << text;
  EXPECT_FALSE(says(text, "outside a scope"));
}

TEST(DoctorText, NeverLetsTheKernelsWordsWriteOnTheTerminal) {
  DoctorFacts facts = facts_of_two();
  facts.backends[0].why_not = "\x1b[2J";
  EXPECT_FALSE(says(render_text(facts, Style(false)), "\x1b"));
}

TEST(DoctorJson, NamesTheBackendEachHookAndWhatFollows) {
  const auto json = nlohmann::json::parse(render_json(facts_of_two()));
  EXPECT_EQ(json["backend"], "fmod_ret");
  EXPECT_EQ(json["abi"], 7);
  EXPECT_EQ(json["strengths"]["files"], "deny");
  EXPECT_EQ(json["strengths"]["exec"], "kill");
  EXPECT_EQ(json["strengths"]["unix"], "not");
  EXPECT_EQ(json["does_not_hold"].size(), 3U);
  EXPECT_EQ(json["backends"][0]["available"], false);
  EXPECT_EQ(json["backends"][0]["remedy"], "add bpf to lsm=");
  EXPECT_EQ(json["backends"][0]["kernel_log"], "line 1\nline 2");
  const auto& hooks = json["backends"][1]["hooks"];
  EXPECT_EQ(hooks[0]["proved"], true);
  EXPECT_TRUE(hooks[0]["why_not"].is_null());
  EXPECT_EQ(hooks[1]["proved"], false);
  EXPECT_EQ(hooks[1]["why_not"], "this kernel has no bpf_lsm_path_link");
  EXPECT_EQ(json["backends"][1]["attempts"][0]["outcome"], "refused");
  EXPECT_EQ(json["decisions_are_skipped"], false);
}

TEST(DoctorJson, HasNoBackendWhereNoneCanBeHad) {
  DoctorFacts facts;
  facts.missing = "no";
  const auto json = nlohmann::json::parse(render_json(facts));
  EXPECT_TRUE(json["backend"].is_null());
  EXPECT_TRUE(json["strengths"].is_null());
  EXPECT_EQ(json["to_do"][0], "no");
}

TEST(DoctorJson, HasNullWhereTheTextSaysUnknown) {
  DoctorFacts facts = facts_of_two();
  const auto lsms = [&] { return nlohmann::json::parse(render_json(facts))["machine"]["lsms"]; };
  EXPECT_EQ(lsms(), nlohmann::json({"lockdown", "yama"}));
  facts.machine.lsms.clear();
  EXPECT_TRUE(lsms().is_null());
  EXPECT_TRUE(says(render_text(facts, Style(false)), "active LSMs             unknown"));
}

TEST(DoctorText, SaysWhyTrampolinesCouldNotBeTried) {
  DoctorFacts facts = facts_of_two();
  facts.machine.bpf_refused = "Operation not permitted";
  EXPECT_TRUE(says(render_text(facts, Style(false)), "no: bpf() is refused"));
}

}  // namespace
