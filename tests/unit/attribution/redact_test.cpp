// SPDX-License-Identifier: Apache-2.0
#include "userspace/attribution/redact.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>

namespace {

using ambit::attribution::presentable;
using ambit::attribution::redact;
using Argv = std::vector<std::string>;

struct Case {
  Argv given;
  Argv expected;
};

void PrintTo(const Case& c, std::ostream* out) { *out << testing::PrintToString(c.given); }

class Redact : public testing::TestWithParam<Case> {};

TEST_P(Redact, HidesExactlyTheSecret) { EXPECT_EQ(redact(GetParam().given), GetParam().expected); }

TEST_P(Redact, ChangesNothingTheSecondTime) {
  const Argv once = redact(GetParam().given);
  EXPECT_EQ(redact(once), once);
}

INSTANTIATE_TEST_SUITE_P(
    Flags, Redact,
    testing::Values(
        Case{{"x", "--password", "hunter2", "rest"}, {"x", "--password", "[redacted]", "rest"}},
        Case{{"x", "--password=hunter2"}, {"x", "--password=[redacted]"}},
        Case{{"x", "-password", "-hunter2"}, {"x", "-password", "[redacted]"}},
        Case{{"x", "--api-key", "k", "--apiKey=k"},
             {"x", "--api-key", "[redacted]", "--apiKey=[redacted]"}},
        Case{{"x", "--githubToken", "t"}, {"x", "--githubToken", "[redacted]"}},
        Case{{"x", "--client_secret=a=b&c"}, {"x", "--client_secret=[redacted]"}},
        Case{{"x", "--password", "--token", "t"}, {"x", "--password", "--token", "[redacted]"}},
        Case{{"keytool", "-storepass", "s"}, {"keytool", "-storepass", "[redacted]"}},
        Case{{"x", "--oauth2-bearer", "b"}, {"x", "--oauth2-bearer", "[redacted]"}},
        Case{{"aws", "configure", "set", "aws_secret_access_key", "s"},
             {"aws", "configure", "set", "aws_secret_access_key", "[redacted]"}},
        Case{{"npm", "config", "set", "//r.example/:_authToken", "s"},
             {"npm", "config", "set", "//r.example/:_authToken", "[redacted]"}}));

INSTANTIATE_TEST_SUITE_P(
    Programs, Redact,
    testing::Values(
        Case{{"/usr/bin/mysql", "-uroot", "-psecret", "-P3306", "db"},
             {"/usr/bin/mysql", "-uroot", "-p[redacted]", "-P3306", "db"}},
        Case{{"mysql", "-p", "db"}, {"mysql", "-p", "db"}},
        Case{{"curl", "-u", "me:pass:word", "https://h/"},
             {"curl", "-u", "me:[redacted]", "https://h/"}},
        Case{{"curl", "-sSu", "me:pw", "h"}, {"curl", "-sSu", "me:[redacted]", "h"}},
        Case{{"curl", "-ume:pw", "h"}, {"curl", "-ume:[redacted]", "h"}},
        Case{{"curl", "--user=me:pw", "h"}, {"curl", "--user=me:[redacted]", "h"}},
        Case{{"curl", "-u", "sometoken:", "h"}, {"curl", "-u", "[redacted]", "h"}},
        Case{{"curl", "-x", "a:b@proxy:8080"}, {"curl", "-x", "a:[redacted]@proxy:8080"}},
        Case{{"curl", "-b", "sid=1", "-d", "x"}, {"curl", "-b", "sid=[redacted]", "-d", "x"}},
        Case{{"sudo", "-u", "db", "mysqldump", "-pX"},
             {"sudo", "-u", "db", "mysqldump", "-p[redacted]"}},
        Case{{"sshpass", "-p", "pw", "ssh", "h"}, {"sshpass", "-p", "[redacted]", "ssh", "h"}},
        Case{{"docker", "login", "-u", "me", "-p", "pw"},
             {"docker", "login", "-u", "me", "-p", "[redacted]"}},
        Case{{"smbclient", "-U", "me%pw"}, {"smbclient", "-U", "me%[redacted]"}},
        Case{{"openssl", "rsa", "-passin", "pass:x"}, {"openssl", "rsa", "-passin", "[redacted]"}},
        Case{{"kubectl", "create", "--from-literal=a=b"},
             {"kubectl", "create", "--from-literal=a=[redacted]"}},
        Case{{"7z", "a", "-pPW", "f"}, {"7z", "a", "-p[redacted]", "f"}},
        Case{{"ssh-keygen", "-f", "k", "-N", "S"}, {"ssh-keygen", "-f", "k", "-N", "[redacted]"}},
        Case{{"ssh-keygen", "-qpP", "S", "-qNS"},
             {"ssh-keygen", "-qpP", "[redacted]", "-qN[redacted]"}},
        Case{{"ssh-keygen", "-p", "-PS", "-NS"},
             {"ssh-keygen", "-p", "-P[redacted]", "-N[redacted]"}},
        Case{{"twine", "upload", "-u", "a", "-p", "S", "dist/x"},
             {"twine", "upload", "-u", "a", "-p", "[redacted]", "dist/x"}}));

INSTANTIATE_TEST_SUITE_P(
    Operands, Redact,
    testing::Values(
        Case{{"vault", "login", "S"}, {"vault", "login", "[redacted]"}},
        Case{{"vault", "login", "-address", "https://v", "-no-print", "S"},
             {"vault", "login", "-address", "https://v", "-no-print", "[redacted]"}},
        Case{{"vault", "login", "-method=userpass", "username=a", "password=S"},
             {"vault", "login", "-method=userpass", "username=a", "password=[redacted]"}},
        Case{{"cargo", "login", "--registry", "r", "S"},
             {"cargo", "login", "--registry", "r", "[redacted]"}},
        Case{{"htpasswd", "-b", "file", "user", "S"},
             {"htpasswd", "-b", "file", "user", "[redacted]"}},
        Case{{"htpasswd", "-cbBC", "10", "file", "user", "S=x"},
             {"htpasswd", "-cbBC", "10", "file", "user", "[redacted]"}},
        Case{{"htpasswd", "-b", "file", "user", "-S"},
             {"htpasswd", "-b", "file", "user", "[redacted]"}},
        Case{{"htpasswd", "-n", "-b", "user", "S"}, {"htpasswd", "-n", "-b", "user", "[redacted]"}},
        Case{{"bash", "-c", "cd /x; vault login S && ls -l /y"},
             {"bash", "-c", "cd /x; vault login [redacted] && ls -l /y"}},
        Case{{"bash", "-c", "ssh h 'cargo login \"S\" && ls a b'"},
             {"bash", "-c", "ssh h 'cargo login \"[redacted]\" && ls a b'"}}));

INSTANTIATE_TEST_SUITE_P(
    Looks, Redact,
    testing::Values(
        Case{{"curl", "-H", "Authorization: Bearer abc.def"},
             {"curl", "-H", "Authorization: Bearer [redacted]"}},
        Case{{"curl", "-HAuthorization: token abc"}, {"curl", "-HAuthorization: token [redacted]"}},
        Case{{"curl", "-H", "X-Api-Key: abc", "-H", "Accept: text/html"},
             {"curl", "-H", "X-Api-Key: [redacted]", "-H", "Accept: text/html"}},
        Case{{"curl", "-H", "Cookie: a=b; c=d"}, {"curl", "-H", "Cookie: [redacted]"}},
        Case{{"curl", "-H", "Cookie: a=\"b\"; c=d"}, {"curl", "-H", "Cookie: [redacted]"}},
        Case{{"sh", "-c", "curl -H \"Authorization: Basic YQ==\" -H \"Accept: */*\""},
             {"sh", "-c", "curl -H \"Authorization: Basic [redacted]\" -H \"Accept: */*\""}},
        Case{{"x", "<a name=\"password\" value=\"S\"/>"},
             {"x", "<a name=\"password\" value=[redacted]/>"}},
        Case{{"git", "clone", "https://me:p@ss@h.example/r.git"},
             {"git", "clone", "https://me:[redacted]@h.example/r.git"}},
        Case{{"psql", "postgres://u:pw@db:5432/x?sslmode=require"},
             {"psql", "postgres://u:[redacted]@db:5432/x?sslmode=require"}},
        Case{{"env", "AWS_SECRET_ACCESS_KEY=a/b+c&d e", "true"},
             {"env", "AWS_SECRET_ACCESS_KEY=[redacted]", "true"}},
        Case{{"psql", "host=h password=x user=u"}, {"psql", "host=h password=[redacted] user=u"}},
        Case{{"curl", "-d", R"({"user":"a","password":"x \" y","n":1})"},
             {"curl", "-d", R"({"user":"a","password":[redacted],"n":1})"}},
        Case{{"curl", "https://h/?a=1&access_token=t&b=2"},
             {"curl", "https://h/?a=1&access_token=[redacted]&b=2"}},
        Case{{"curl", "https://h/?sv=1&sig=t%3D"}, {"curl", "https://h/?sv=1&sig=[redacted]"}},
        Case{{"echo", "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nx"},
             {"echo", "[redacted]\nx"}},
        Case{{"echo", "-----BEGIN PRIVATE KEY-----\nMII"}, {"echo", "[redacted]"}},
        Case{{"x", "AGE-SECRET-KEY-1QQQQ"}, {"x", "[redacted]"}},
        Case{{"x", "got Bearer abcdefghij."}, {"x", "got Bearer [redacted]"}},
        Case{{"git", "clone", "https://0123456789abcdefghijKLMN@h/r"},
             {"git", "clone", "https://[redacted]@h/r"}},
        Case{{"git", "clone", "https://TOKEN@h/r"}, {"git", "clone", "https://[redacted]@h/r"}},
        Case{{"pip", "install", "git+https://abc@h/r.git@v1"},
             {"pip", "install", "git+https://[redacted]@h/r.git@v1"}},
        Case{{"x", "HTTPS://a%3Db!@h https://git@h ftp://me@h"},
             {"x", "HTTPS://[redacted]@h https://git@h ftp://me@h"}},
        Case{{"curl", "https://hooks.slack.com/services/T0/B0/abc", "-d", "x"},
             {"curl", "https://hooks.slack.com/services/[redacted]", "-d", "x"}},
        Case{{"curl", "https://api.telegram.org/bot12:AA-b_c/sendMessage?chat_id=1"},
             {"curl", "https://api.telegram.org/bot[redacted]/sendMessage?chat_id=1"}},
        Case{{"curl", "https://discord.com/api/webhooks/12/ab-c?wait=1"},
             {"curl", "https://discord.com/api/webhooks/12/[redacted]?wait=1"}},
        Case{{"x", "<a><user>u</user><password>S t</password></a>"},
             {"x", "<a><user>u</user><password>[redacted]</password></a>"}},
        Case{{"x", "<wsse:Password Type=\"t\"><![CDATA[S<]]></wsse:Password>"},
             {"x", "<wsse:Password Type=\"t\">[redacted]</wsse:Password>"}},
        Case{{"x", "password S"}, {"x", "password [redacted]"}},
        Case{{"x", "machine h login u password S"}, {"x", "machine h login u password [redacted]"}},
        Case{{"x", "machine h\n  login u\n  password S\nmachine i"},
             {"x", "machine h\n  login u\n  password [redacted]\nmachine i"}},
        Case{{"sh", "-c", "printf 'machine h\\nlogin u\\npassword S\\n' >> ~/.netrc"},
             {"sh", "-c", "printf 'machine h\\nlogin u\\npassword [redacted]\\n' >> ~/.netrc"}},
        Case{{"x", "Server=h;Pwd=abc;Db=d"}, {"x", "Server=h;Pwd=[redacted];Db=d"}},
        Case{{"x", "db_pass: 'a b'"}, {"x", "db_pass: [redacted]"}},
        Case{{"x", "user=a pass=b"}, {"x", "user=a pass=[redacted]"}}));

INSTANTIATE_TEST_SUITE_P(
    Tokens, Redact,
    testing::Values(Case{{"x", "ghp_0123456789abcdefghijABCDEFGHIJ012345"}, {"x", "[redacted]"}},
                    Case{{"x", "a=github_pat_11ABCDEFG0123456789_abc."}, {"x", "a=[redacted]."}},
                    Case{{"x", "gho_0123456789abcdefghij"}, {"x", "[redacted]"}},
                    Case{{"x", "glpat-0123456789abcdefghij"}, {"x", "[redacted]"}},
                    Case{{"x", "sk-ant-api03-0123456789_abc-def"}, {"x", "[redacted]"}},
                    Case{{"x", "sk-0123456789abcdefghij"}, {"x", "[redacted]"}},
                    Case{{"x", "xoxb-123456789012-abcdef"}, {"x", "[redacted]"}},
                    Case{{"x", "'AKIAIOSFODNN7EXAMPLE'"}, {"x", "'[redacted]'"}},
                    Case{{"x", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc_-d end"},
                         {"x", "[redacted] end"}},
                    Case{{"x", "npm_0123456789abcdefghijABCDEFGHIJ012345"}, {"x", "[redacted]"}},
                    Case{{"x", "sk_live_0123456789"}, {"x", "[redacted]"}},
                    Case{{"x", "AIzaSyA0123456789abcdefghijABCDEFGHIJ01"}, {"x", "[redacted]"}},
                    Case{{"x", "hvs.CAESIJabcdef"}, {"x", "[redacted]"}}));

INSTANTIATE_TEST_SUITE_P(
    ShellStrings, Redact,
    testing::Values(Case{{"sh", "-c", "mysql -uroot -psecret db; ls -p x"},
                         {"sh", "-c", "mysql -uroot -p[redacted] db; ls -p x"}},
                    Case{{"bash", "-lc", "cd /x && curl -su 'me:p w' https://h/ | jq ."},
                         {"bash", "-lc", "cd /x && curl -su 'me:[redacted]' https://h/ | jq ."}},
                    Case{{"sh", "-c", "export GH_TOKEN=abc; gh pr list"},
                         {"sh", "-c", "export GH_TOKEN=[redacted]; gh pr list"}},
                    Case{{"sh", "-c", "curl -H \"Authorization: Bearer abc\" https://h/"},
                         {"sh", "-c", "curl -H \"Authorization: Bearer [redacted]\" https://h/"}},
                    Case{{"sh", "-c", "ssh h 'mysql -pS db; ls -p x'"},
                         {"sh", "-c", "ssh h 'mysql -p[redacted] db; ls -p x'"}},
                    Case{{"sh", "-c", "ssh h \"curl -u \\\"me:p w\\\" h; ls a\""},
                         {"sh", "-c", "ssh h \"curl -u \\\"me:[redacted]\\\" h; ls a\""}},
                    Case{{"sh", "-c", "tool --token 'a b' --verbose"},
                         {"sh", "-c", "tool --token '[redacted]' --verbose"}}));

class RedactNothing : public testing::TestWithParam<Argv> {};

TEST_P(RedactNothing, InOrdinaryCommandLines) { EXPECT_EQ(redact(GetParam()), GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    Ordinary, RedactNothing,
    testing::Values(Argv{"git", "clone", "https://github.com/a/b.git"},
                    Argv{"git", "clone", "git@github.com:a/b.git"},
                    Argv{"docker", "run", "-p", "8080:80", "img:1.2@sha256:0123456789abcdef"},
                    Argv{"docker", "run", "-u", "1000:1000", "img"},
                    Argv{"ssh", "-p", "22", "me@h"}, Argv{"mkdir", "-p", "/a/b"},
                    Argv{"llm", "--max-tokens", "4096", "max_tokens=100"},
                    Argv{"x", "--token-file", "/run/t", "--password-stdin", "-"},
                    Argv{"psql", "--no-password", "db"}, Argv{"env", "PWD=/work", "OLDPWD=/"},
                    Argv{"grep", "-r", "password", "src"},
                    Argv{"python3", "-c", "import os; print(1)"},
                    Argv{"curl", "-sSfL", "http://127.0.0.1:8080/a?b=c"},
                    Argv{"git", "clone", "ssh://git@h/a.git", "git+ssh://somebody@h/r"},
                    Argv{"ssh", "ssh://0123456789abcdefghij@h", "https://git@h/r"},
                    Argv{"npm", "i", "https://h/a@1.0", "@a/b@2", "psql://me@h/db"},
                    Argv{"vault", "kv", "get", "a/b"}, Argv{"cargo", "build", "login"},
                    Argv{"vault", "login", "-method=oidc"}, Argv{"docker", "login", "r.example"},
                    Argv{"htpasswd", "-c", "file", "user"}, Argv{"htpasswd", "file", "user", "x"},
                    Argv{"git", "commit", "-m", "ask for the password twice at login"},
                    Argv{"x", "<tokens>3</tokens>", "<passwordless>yes</passwordless>"},
                    Argv{"curl", "https://hooks.slack.com/services/", "https://api.telegram.org/"},
                    Argv{"rsync", "-av", "src/", "host:/dst"}, Argv{"bypass=1", "compass=2"},
                    Argv{}, Argv{""}, Argv{"", "", "\xff\xfe"}));

TEST(RedactHostile, FindsSecretsBesideBytesThatAreNoText) {
  EXPECT_EQ(redact({"x", "--password=\xff\xfe\x00z"}), (Argv{"x", "--password=[redacted]"}));
  EXPECT_EQ(redact({"x",
                    "\xffTOKEN=a\xff"
                    "b"}),
            (Argv{"x", "\xffTOKEN=[redacted]"}));
  EXPECT_EQ(redact({"x",
                    "https://u:a\xff"
                    "b@h/"}),
            (Argv{"x", "https://u:[redacted]@h/"}));
}

TEST(RedactHostile, TakesAnyBytesWithoutHarm) {
  std::mt19937 random(7);  // NOLINT: the same bytes in every run
  for (int round = 0; round < 2000; ++round) {
    Argv argv(1 + random() % 4);
    for (std::string& word : argv) {
      word.resize(random() % 40);
      for (char& c : word) {
        c = random() % 2 == 0 ? static_cast<char>(random() % 256)
                              : "-=:@'\"\\ curlpu"[random() % 14];
      }
    }
    EXPECT_EQ(redact(argv).size(), argv.size());
  }
}

TEST(Presentable, CutsAndCountsWhatIsTooLong) {
  const Argv shown = presentable({"x", std::string(2'000'000, 'a'), "end"});
  ASSERT_EQ(shown.size(), 3U);
  EXPECT_EQ(shown[1], std::string(4096, 'a') + "[+1995904 bytes]");
  EXPECT_EQ(shown[2], "end");
}

TEST(Presentable, CountsArgumentsThatAreLeftOut) {
  const Argv many = presentable(Argv(100'000, "a"));
  ASSERT_EQ(many.size(), 257U);
  EXPECT_EQ(many.back(), "[+99744 arguments]");
  const Argv large = presentable(Argv(10, std::string(4000, 'b')));
  ASSERT_EQ(large.size(), 6U);
  EXPECT_EQ(large[4], std::string(384, 'b') + "[+3616 bytes]");
  EXPECT_EQ(large[5], "[+5 arguments]");
}

TEST(Presentable, SaysThatMoreMayBeMissingWhereTheArgumentsWereNotAllRead) {
  Argv argv(2048, "a");
  argv.emplace_back(
      "…");  // the kernel's record ends after 4,095 bytes; there may be 3,001 arguments
  const Argv shown = presentable(argv);
  ASSERT_EQ(shown.size(), 257U);
  EXPECT_EQ(shown.back(), "[+1792 arguments or more]");
  EXPECT_EQ(presentable({"x", "a", "…"}), (Argv{"x", "a", "…"}));
  EXPECT_EQ(presentable({"…"}), (Argv{"…"}));
}

TEST(Presentable, HidesASecretThatTheCutWouldHaveSplit) {
  const std::string token = "ghp_" + std::string(36, 'A');
  const Argv shown = presentable({"x", std::string(4080, ' ') + token});
  EXPECT_EQ(shown[1].find("ghp_"), std::string::npos);
}

TEST(Presentable, StaysCheapForAnArgvOfMegabytes) {
  const Argv argv{"sh", "-c", std::string(2'000'000, '-'), std::string(2'000'000, ':')};
  (void)presentable({"warm", "up"});
  const auto before = std::chrono::steady_clock::now();
  (void)presentable(argv);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(1));
}

}  // namespace
