// SPDX-License-Identifier: Apache-2.0
#include "userspace/attribution/secret_flags.h"

#include <array>
#include <unordered_set>

namespace ambit::attribution {
namespace {

using enum SecretPart;

constexpr std::string_view kMysql =
    "mysql mysqldump mysqladmin mysqlimport mysqlshow mysqlcheck mysqlpump mysqlslap mysqlbinlog "
    "mariadb "
    "mariadb-dump mariadb-admin mariadb-import mycli";
constexpr std::string_view kMongo = "mongo mongosh mongodump mongorestore mongoexport mongoimport";
constexpr std::string_view kLdap =
    "ldapsearch ldapmodify ldapadd ldapdelete ldapwhoami ldappasswd ldapcompare ldapmodrdn";
constexpr std::string_view kRegistries = "docker podman nerdctl buildah skopeo helm oras crane";
constexpr std::string_view kSnmp = "snmpget snmpgetnext snmpwalk snmpset snmpbulkwalk";

constexpr auto kFlagRules = std::to_array<FlagRule>({
    {kMysql, "", "-p", true, false, whole},
    {"curl", "", "-u", true, true, after_colon},
    {"curl", "", "--user", true, true, after_colon},
    {"curl", "", "-U", true, true, after_colon},
    {"curl", "", "--proxy-user", true, true, after_colon},
    {"curl", "", "-x", true, true, userinfo},
    {"curl", "", "--proxy", true, true, userinfo},
    {"curl", "", "-b", true, true, after_equals},
    {"curl", "", "-E", true, true, after_colon},
    {"curl", "", "--cert", true, true, after_colon},
    {"curl", "", "--pass", true, true, whole},
    {"http https xh", "", "-a", true, true, after_colon},
    {"http https xh", "", "--auth", true, true, after_colon},
    {"sshpass", "", "-p", true, true, whole},
    {"redis-cli valkey-cli", "", "-a", true, true, whole},
    {kMongo, "", "-p", true, true, whole},
    {kLdap, "", "-w", true, true, whole},
    {kRegistries, "login", "-p", true, true, whole},
    {kRegistries, "", "--creds", true, true, after_colon},
    {kRegistries, "", "--src-creds", true, true, after_colon},
    {kRegistries, "", "--dest-creds", true, true, after_colon},
    {"az", "login", "-p", false, true, whole},
    {"gh", "secret", "-b", true, true, whole},
    {"gh", "secret", "--body", true, true, whole},
    {"kubectl oc", "", "--from-literal", true, true, after_equals},
    {"aws", "put-parameter", "--value", true, true, whole},
    {"smbclient rpcclient net smbget mount.cifs", "", "-U", true, true, after_percent},
    {"sqlcmd bcp", "", "-P", true, true, whole},
    {"ipmitool", "", "-P", true, true, whole},
    {"zip unzip zipcloak", "", "-P", true, true, whole},
    {"7z 7za 7zr 7zz rar unrar", "", "-p", true, false, whole},
    {"openssl", "", "-passin", false, true, whole},
    {"openssl", "", "-passout", false, true, whole},
    {"openssl", "", "-k", false, true, whole},
    {"openssl", "", "-K", false, true, whole},
    {kSnmp, "", "-c", true, true, whole},
    {kSnmp, "", "-A", true, true, whole},
    {kSnmp, "", "-X", true, true, whole},
    {"cqlsh", "", "-p", true, true, whole},
    {"ssh-keygen", "", "-N", true, true, whole},
    {"ssh-keygen", "", "-P", true, true, whole},
    {"twine", "", "-p", true, true, whole},
    {"xfreerdp xfreerdp3 wlfreerdp", "", "/p:", true, false, whole},
    {"oc", "login", "-p", true, true, whole},
    {"poetry", "publish", "-p", true, true, whole},
    {"snowsql", "", "-p", true, true, whole},
    {"doctl vercel vc", "", "-t", true, true, whole},
    {"glab", "login", "-t", true, true, whole},
    {"gem", "push", "-k", true, true, whole},
    {"etcdctl", "", "--user", true, true, after_colon},
    {"lftp", "", "-u", true, true, after_comma},
    {"cast forge", "", "--private-key", true, true, whole},
    {"pkcs11-tool pkcs15-tool", "", "--pin", true, true, whole},
    {"pulumi", "", "--secret", false, false, nothing},
    {"mongod mongos", "", "--auth", false, false, nothing},
});

constexpr unsigned kToTheEnd = ~0U;
constexpr std::string_view kVaultValued =
    "-method -path -address -agent-address -namespace -ns -field -format -ca-cert -ca-path "
    "-client-cert -client-key -header -tls-server-name -wrap-ttl -mfa -mount -cas -max-versions";

// The rule with -n hides one operand more than there are: the flag may belong to another command.
constexpr auto kOperandRules = std::to_array<OperandRule>({
    {"vault", "login", "", "", kVaultValued, 1, 1, unless_named},
    {"vault", "unwrap", "", "", kVaultValued, 1, 1, whole},
    {"vault", "put", "", "", kVaultValued, 2, kToTheEnd, after_equals},
    {"vault", "patch", "", "", kVaultValued, 2, kToTheEnd, after_equals},
    {"cargo", "login", "", "", "--registry --color --config -Z -C", 1, 1, whole},
    {"htpasswd", "", "", "bn", "-C -r", 2, 3, whole},
    {"htpasswd", "", "", "b", "-C -r", 3, 3, whole},
    {"pulumi", "set", "--secret", "", "-s --stack -C --cwd --config-file", 2, 2, whole},
    {"wandb", "login", "", "", "--host", 1, 1, whole},
    {"bw", "unlock", "", "", "--passwordenv --passwordfile", 1, 1, whole},
    {"bw", "login", "", "", "--method --code", 2, 2, whole},
    {"ngrok", "authtoken", "", "", "--config --log", 1, 1, whole},
    {"ngrok", "add-authtoken", "", "", "--config --log", 1, 1, whole},
    {"composer", "github-oauth.", "", "", "", 1, 1, whole},
    {"composer", "gitlab-token.", "", "", "", 1, 2, whole},
    {"composer", "bearer.", "", "", "", 1, 1, whole},
    {"composer", "http-basic.", "", "", "", 2, 2, whole},
    {"poetry", "pypi-token.", "", "", "", 1, 1, whole},
    {"poetry", "http-basic.", "", "", "", 2, 2, whole},
    {"openssl", "passwd", "", "", "-salt -in", 1, 1, whole},
    {"redis-cli valkey-cli", "requirepass", "", "", "", 1, 1, whole},
    {"sqlplus sqlldr expdp impdp rman", "", "", "", "-R -C -M", 1, 1, after_slash},
});

constexpr auto kStdinRules = std::to_array<StdinRule>({
    {"", "--password-stdin"},
    {"gh", "--with-token"},
    {"glab", "--stdin"},
    {"passwd", "--stdin"},
    {"chpasswd", ""},
    {"smbpasswd", "-s"},
    {"sudo", "-S"},
    {"vault", "-"},
    {"cargo wandb", "login"},
    {"cryptsetup", "-"},
});

/// The first of the words in `list`, which is cut off it.
std::string_view take_word(std::string_view& list) {
  const std::size_t space = list.find(' ');
  const std::string_view word = list.substr(0, space);
  list.remove_prefix(space == std::string_view::npos ? list.size() : space + 1);
  return word;
}

/// Asked for every word of every command line, too often to go through the rules.
std::unordered_set<std::string_view> known_programs() {
  std::unordered_set<std::string_view> known;
  for (const FlagRule& rule : kFlagRules) {
    for (std::string_view rest = rule.programs; !rest.empty();) {
      known.insert(take_word(rest));
    }
  }
  for (const OperandRule& rule : kOperandRules) {
    for (std::string_view rest = rule.programs; !rest.empty();) {
      known.insert(take_word(rest));
    }
  }
  return known;
}

}  // namespace

std::span<const FlagRule> flag_rules() { return kFlagRules; }

std::span<const OperandRule> operand_rules() { return kOperandRules; }

std::span<const StdinRule> stdin_rules() { return kStdinRules; }

bool is_known_program(std::string_view name) {
  static const std::unordered_set<std::string_view> known = known_programs();
  return known.contains(name);
}

bool lists(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    if (take_word(list) == word) {
      return true;
    }
  }
  return false;
}

std::string_view plain_letters(std::string_view program) {
  if (program == "curl") {
    return "aBfgGiIjJkLlMnNOpqRsSvV#012346Z:";
  }
  return program == "ssh-keygen" ? "ABceghHikKlLpqQuUvy" : "";
}

}  // namespace ambit::attribution
