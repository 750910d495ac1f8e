// SPDX-License-Identifier: Apache-2.0
// The forms in which people write secrets on command lines. In each, hunter2 and nothing else is
// one.
#include <gtest/gtest.h>

#include <chrono>

#include "userspace/attribution/redact.h"

namespace {

using ambit::attribution::presentable;
using ambit::attribution::redact;
using Argv = std::vector<std::string>;

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

/// Whether the quotes of a secret stay is of no concern.
Argv without_quotes(Argv argv, const std::string& secret) {
  for (std::string& word : argv) {
    for (const char* quote : {"\\\"", "$\"", "\"", "$'", "'"}) {
      std::string quoted(quote);
      quoted.append(secret).append(quote + (*quote == '$' ? 1 : 0));
      replace_all(word, quoted, "[redacted]");
    }
    replace_all(word, secret, "[redacted]");
  }
  return argv;
}

class RedactForms : public testing::TestWithParam<Argv> {};

TEST_P(RedactForms, HidesTheSecretAndNothingElse) {
  EXPECT_EQ(without_quotes(redact(GetParam()), "[redacted]"),
            without_quotes(GetParam(), "hunter2"));
}

TEST_P(RedactForms, ChangesNothingTheSecondTime) {
  const Argv once = redact(GetParam());
  EXPECT_EQ(redact(once), once);
}

Argv python(const char* code) { return {"python3", "-c", code}; }
Argv shell(const char* code) { return {"bash", "-c", code}; }
Argv form(const char* data) { return {"curl", "-d", data, "https://h/"}; }

INSTANTIATE_TEST_SUITE_P(
    Code, RedactForms,
    testing::Values(
        python(R"(password = "hunter2")"), python("password = 'hunter2'; run()"),
        python(R"(db_password = "hunter2")"), python("db_password = hunter2"),
        python(R"(if password == "hunter2": run())"), python("if (api_token === 'hunter2') run()"),
        python(R"(token != "hunter2")"), python(R"(self.password = "hunter2")"),
        python(R"(password := "hunter2")"), python(R"(:password => "hunter2")"),
        python(R"(api_key <- "hunter2")"), python(R"(API_KEY ?= "hunter2")"),
        python(R"(if os.environ["PASSWORD"] == "hunter2": run())"),
        python(R"($ENV{TOKEN}="hunter2"; run())"), python(R"($ENV{'TOKEN'} = "hunter2"; run())"),
        Argv{"perl", "-e", R"($ENV{TOKEN}="hunter2")"},
        shell("psql -c \"password = 'hunter2'\" db"), shell(R"(python3 -c 'password = "hunter2"')"),
        shell(R"([ "$PASSWORD" = "hunter2" ] && echo yes)"),
        Argv{"x", "--password", "=", "hunter2"}, Argv{"x", "db_password", ":", "hunter2"},
        Argv{"x", R"(<add key="password" value="hunter2"/>)"},
        Argv{"x", R"(<add value="hunter2" key="password"/>)"},
        Argv{"x", R"(<add key='ApiToken' value='hunter2' n="1"/>)"}));

INSTANTIATE_TEST_SUITE_P(
    Environment, RedactForms,
    testing::Values(
        Argv{"docker", "run", "-e", "GITHUB_PAT=hunter2", "-e", "AZURE_DEVOPS_EXT_PAT=hunter2",
             "img"},
        Argv{"docker", "run", "-eGITHUB_PAT=hunter2", "--env=SMTPPASS=hunter2", "img"},
        Argv{"env", "MYPASS=hunter2", "SMTPPASS=hunter2", "SSHPASS=hunter2", "true"},
        Argv{"env", "JWT=hunter2", "AUTH=hunter2", "CREDENTIALS=hunter2", "PAT=hunter2", "true"},
        Argv{"env", "SECRET_KEY_BASE=hunter2", "API_JWT=hunter2", "DBPWD=hunter2", "true"},
        Argv{"env", "SSH_PRIVATE_KEY=hunter2", "DB_CREDENTIALS=hunter2", "X_OTP=hunter2", "true"},
        shell("cd /x; GITHUB_PAT=hunter2 MYPASS='hunter2' gh pr list"),
        shell("export JWT=\"hunter2\"; ls"),
        shell("docker run -e AUTH=hunter2 -e CREDENTIALS=hunter2 img"),
        shell("cd /x; SSHPASS=hunter2 sshpass -e ssh h; SMTPPASS=hunter2 x"),
        shell("cd /x; TOKEN=$'hunter2' ls"), shell("export GITHUB_PAT=$\"hunter2\" && ls"),
        Argv{"x", "TOKEN=$'hunter2'", "y"}));

INSTANTIATE_TEST_SUITE_P(Addresses, RedactForms,
                         testing::Values(Argv{"curl", "https://h/?a=1&otp=hunter2&b=2"},
                                         Argv{"curl",
                                              "https://h/cb?next=%2Fa%3Ftoken%3Dhunter2%26b%3D1"},
                                         Argv{"curl", "https://h/cb?q=access_token%253Dhunter2"}));

TEST(RedactAddresses, HideATokenThatStandsAsTheUserBesideAPlaceholder) {
  for (const std::string password : {"x-oauth-basic", "X", "", "api_token"}) {
    const std::string shown =
        redact({"git", "clone", "https://hunter2:" + password + "@github.com/a/b"}).at(2);
    EXPECT_FALSE(shown.contains("hunter2")) << shown;
    EXPECT_TRUE(shown.ends_with("@github.com/a/b")) << shown;
  }
  EXPECT_EQ(redact({"git", "https://0123456789abcdefghij:y@h/"}).at(1),
            "https://[redacted]:[redacted]@h/");
  EXPECT_EQ(redact({"psql", "postgres://a_service_with_a_long_name:y@h/"}).at(1),
            "postgres://a_service_with_a_long_name:[redacted]@h/");
}

INSTANTIATE_TEST_SUITE_P(
    Forms, RedactForms,
    testing::Values(form("otp=hunter2&n=1"), form("user=a&pin=hunter2"), form("jwt=hunter2"),
                    form("auth=hunter2&n=1"), form("session_id=hunter2&n=1"),
                    form("grant_type=a&assertion=hunter2"), form("client_assertion=hunter2&n=1"),
                    form("token%3Dhunter2%26n%3D1"), form(R"({"otp":"hunter2","n":1})"),
                    form(R"({"pin":"hunter2","n":1})"), form(R"({"n":1,"pin":hunter2})"),
                    form(R"({"pass\u0077ord":"hunter2","n":1})"),
                    form(R"({"name":"db_pass\u0077ord","value":"hunter2","n":1})"),
                    shell(R"(curl -d "{\"pass\\u0077ord\":\"hunter2\",\"n\":1}" h)"),
                    shell("curl -d 'otp=hunter2&n=1' -d \"pin=hunter2\" -dotp=hunter2 h"),
                    Argv{"curl", "-Fpin=hunter2", "-F", "otp=hunter2", "h"},
                    form("--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nhunter2"
                         "\r\n--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n1\r\n--b--"),
                    form("--b\nContent-Disposition: form-data; name=\"otp\"\nContent-Type: "
                         "text/plain\n\nhunter2\n--b--"),
                    shell(R"(curl -d $'--b\r\nx; name="token"\r\n\r\nhunter2\r\n--b--' h)")));

INSTANTIATE_TEST_SUITE_P(
    Flags, RedactForms,
    testing::Values(
        Argv{"x", "--jwt", "hunter2", "--otp", "hunter2", "--auth", "hunter2"},
        Argv{"x", "--authorization", "hunter2", "--credential", "hunter2", "rest"},
        Argv{"x", "--private-key-data", "hunter2", "--jwt=hunter2", "--auth=hunter2"},
        Argv{"oc", "login", "-u", "a", "-p", "hunter2", "h"},
        Argv{"poetry", "publish", "-u", "a", "-p", "hunter2"},
        Argv{"snowsql", "-u", "a", "-p", "hunter2"}, Argv{"doctl", "auth", "init", "-t", "hunter2"},
        Argv{"glab", "auth", "login", "-t", "hunter2"}, Argv{"vercel", "deploy", "-t", "hunter2"},
        Argv{"gem", "push", "-k", "hunter2", "a.gem"},
        Argv{"etcdctl", "--user", "a:hunter2", "get", "k"}, Argv{"etcdctl", "--user=a:hunter2"},
        Argv{"lftp", "-u", "a,hunter2", "h"}, Argv{"pkcs11-tool", "--pin", "hunter2", "-O"},
        Argv{"gh", "secret", "set", "API_TOKEN", "-b", "hunter2"},
        Argv{"gh", "secret", "set", "API_TOKEN", "--body", "hunter2"},
        Argv{"mongod", "--auth", "--keyFile", "k", "--password", "hunter2"}));

INSTANTIATE_TEST_SUITE_P(
    Operands, RedactForms,
    testing::Values(
        Argv{"pulumi", "config", "set", "--secret", "a", "hunter2"},
        Argv{"pulumi", "config", "set", "a", "hunter2", "--secret"},
        Argv{"pulumi", "config", "set", "-s", "dev", "--secret", "a", "hunter2"},
        Argv{"vault", "write", "auth/approle/login", "role_id=a", "secret_id=hunter2"},
        Argv{"vault", "unwrap", "hunter2"}, Argv{"vault", "kv", "put", "s", "value=hunter2"},
        Argv{"vault", "kv", "patch", "-mount=m", "s", "a=hunter2", "b=hunter2"},
        Argv{"wandb", "login", "hunter2"}, Argv{"wandb", "login", "--host", "h", "hunter2"},
        Argv{"bw", "unlock", "--raw", "hunter2"}, Argv{"bw", "login", "a@h", "hunter2"},
        Argv{"ngrok", "authtoken", "hunter2"}, Argv{"ngrok", "config", "add-authtoken", "hunter2"},
        Argv{"yarn", "config", "set", "npmAuthToken", "hunter2"},
        Argv{"yarn", "config", "set", "--home", "npmAuthToken", "hunter2"},
        Argv{"composer", "config", "-g", "github-oauth.github.com", "hunter2"},
        Argv{"composer", "config", "http-basic.h", "user", "hunter2"},
        Argv{"poetry", "config", "pypi-token.pypi", "hunter2"},
        Argv{"poetry", "config", "http-basic.r", "user", "hunter2"},
        Argv{"openssl", "passwd", "-6", "-salt", "ab", "hunter2"},
        Argv{"openssl", "passwd", "hunter2"},
        Argv{"redis-cli", "config", "set", "requirepass", "hunter2"},
        Argv{"sqlplus", "u/hunter2@db"}, Argv{"sqlplus", "-S", "u/hunter2"},
        shell("vault login hunter2 && ls a b"), shell("sqlplus 'u/hunter2@db' @x.sql")));

INSTANTIATE_TEST_SUITE_P(
    Pipes, RedactForms,
    testing::Values(shell("docker login --password-stdin <<< hunter2; ls a"),
                    shell("docker login --password-stdin r <<< \"hunter2\" && cat <<< b"),
                    shell("docker login --password-stdin <<<hunter2"),
                    shell("echo hunter2 | docker login -u a --password-stdin"),
                    shell("echo -n 'hunter2' | sudo docker login --password-stdin r.example; ls a"),
                    shell("cd /x && printf \"hunter2\" | gh auth login --with-token"),
                    shell("echo hunter2 | sudo -S apt-get install x"),
                    shell("ssh h 'echo hunter2 | docker login --password-stdin'"),
                    shell("echo a && echo hunter2 | passwd --stdin me || echo b | cat")));

TEST(RedactAssignments, HideAllOfAValueThatLooksLikeSomethingElse) {
  EXPECT_EQ(redact({"x", "a password=[redacted])tail b"}).at(1), "a password=[redacted] b");
  EXPECT_EQ(redact({"x", "a=1;pwd=/tail"}).at(1), "a=1;pwd=[redacted]");
  EXPECT_EQ(redact({"x", "https://h/?sig==tail&b=2"}).at(1), "https://h/?sig==[redacted]&b=2");
  EXPECT_EQ(redact({"x", "password: -tail"}).at(1), "password: [redacted]");
  EXPECT_EQ(redact({"x", "password: =tail"}).at(1), "password: [redacted]");
  EXPECT_EQ(redact({"x", "password: :tail"}).at(1), "password: [redacted]");
  EXPECT_EQ(redact({"x", "a token=ghp_0123456789abcdefghij-tail b"}).at(1), "a token=[redacted] b");
}

TEST(RedactSettings, HideAValueThatBeginsWithADash) {
  EXPECT_EQ(redact({"aws", "configure", "set", "aws_secret_access_key", "-tail"}).at(4),
            "[redacted]");
}

TEST(RedactOperands, AreNoSettingsForAnEqualsSignAtTheEnd) {
  EXPECT_EQ(redact({"vault", "login", "abc=="}), (Argv{"vault", "login", "[redacted]"}));
  EXPECT_EQ(redact({"wandb", "login", "a=b"}), (Argv{"wandb", "login", "[redacted]"}));
}

TEST(RedactAssignments, HideStringsWithAPrefix) {
  for (const std::string value : {"f\"tail\"", "b'tail'", "(\"tail\"", "@\"tail\"", "rb'tail'"}) {
    EXPECT_EQ(redact({"x", "a; password = " + value + ") b"}).at(1), "a; password = [redacted]) b");
  }
}

class RedactNoForm : public testing::TestWithParam<Argv> {};

TEST_P(RedactNoForm, InOrdinaryCommandLines) { EXPECT_EQ(redact(GetParam()), GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    Words, RedactNoForm,
    testing::Values(Argv{"git", "log", "--author", "a", "--author=b"},
                    Argv{"git", "checkout", "pin"}, Argv{"git", "branch", "auth", "otp"},
                    Argv{"x", "author=a", "authority=b", "passive=1", "bypass=1", "compass=2"},
                    Argv{"env", "PATH=/usr/bin", "BYPASS=1", "COMPASS=2", "GIT_ASKPASS=/x", "a"},
                    Argv{"env", "XAUTHORITY=/x", "OAUTH=1", "PATTERN=a", "FILE_PATH=b", "a"},
                    Argv{"env", "GOOGLE_APPLICATION_CREDENTIALS=/k.json", "PWD=/w", "OLDPWD=/"},
                    Argv{"x", "file_pat=a", "pattern=b", "spin=1", "opinion=2", "session=a"},
                    Argv{"x", "--passive", "--pin", "3", "--authority", "b", "--compass"},
                    Argv{"mongod", "--auth", "--port", "27017"}, Argv{"mongod", "--auth"},
                    Argv{"x", "--auth", "--port", "1"}, Argv{"x", "--no-auth", "a"},
                    Argv{"git", "commit", "-m", "set the token header of config"},
                    Argv{"git", "commit", "-m", "auth: accept a pin, see author = a"},
                    Argv{"git", "config", "credential.helper", "store"},
                    Argv{"sh", "-c", "echo a | cat; echo b && docker ps"},
                    Argv{"sh", "-c", "echo a | sudo tee /x; PATH=$PATH:/b make -j2"},
                    Argv{"python3", "-c", "x = 1; key = \"a\"; code == 'b'; pin: int = 4"}));

INSTANTIATE_TEST_SUITE_P(
    Programs, RedactNoForm,
    testing::Values(Argv{"pulumi", "config", "set", "region", "eu"},
                    Argv{"vault", "kv", "get", "-field=a", "s"},
                    Argv{"vault", "write", "auth/kubernetes/config", "host=h"},
                    Argv{"aws", "secretsmanager", "get-secret-value", "--secret-id", "a/b"},
                    Argv{"oc", "process", "-p", "A=b"}, Argv{"poetry", "add", "-p", "x"},
                    Argv{"glab", "mr", "create", "-t", "title"}, Argv{"bw", "login"},
                    Argv{"poetry", "config", "virtualenvs.in-project", "true"},
                    Argv{"composer", "config", "repositories.a", "vcs", "b"},
                    Argv{"yarn", "config", "set", "nodeLinker", "node-modules"},
                    Argv{"openssl", "x509", "-in", "a.pem"}, Argv{"sqlplus", "/nolog"},
                    Argv{"sqlplus", "u@//h:1521/service"}, Argv{"sqlplus", "/", "as", "sysdba"},
                    Argv{"curl", "-d", "spin=1&author=a&option=b", "h"},
                    Argv{"x", R"(<add key="color" value="red"/>)", "a name=\"n\"\n\nb\n--c"},
                    Argv{"git", "clone", "https://h/a.git", "ssh://git@h/x:y"}));

TEST(RedactFormsHostile, StaysCheapForTextThatBeginsThemAndNeverEnds) {
  (void)presentable({"warm", "up"});
  const std::vector<std::string> units{
      "a=\"",     "password = \"",  "token: a ", "name=\"otp\"\n\n",
      "x%3D%22",  "echo a | ",      "= := => ",  "vault kv put s a=b ",
      "pin=\\\"", "\"a\\u0070\": ", "<token a ", "a b\nname=\"pin\"\na"};
  for (const std::string& unit : units) {
    std::string text;
    while (text.size() < 16384) {
      text += unit;
    }
    const auto before = std::chrono::steady_clock::now();
    (void)presentable({"sh", text, text, text, text});
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(1)) << unit;
  }
}

}  // namespace
