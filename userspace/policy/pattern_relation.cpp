// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/pattern_relation.h"

#include <algorithm>

namespace ambit::policy {
namespace {

/// A component as the bytes around its `*`.
struct Around {
  std::string_view before;
  std::string_view after;
  bool star = false;
};

Around around(std::string_view component) {
  const std::size_t star = component.find('*');
  if (star == std::string_view::npos) return {.before = component, .after = {}, .star = false};
  return {.before = component.substr(0, star), .after = component.substr(star + 1), .star = true};
}

bool component_covers(const std::string& outer, const std::string& inner) {
  const Around wide = around(outer);
  const Around narrow = around(inner);
  if (!wide.star) return outer == inner;
  const std::string_view start = narrow.before;
  const std::string_view end = narrow.star ? narrow.after : narrow.before;
  const std::size_t shortest = narrow.before.size() + narrow.after.size();
  return start.starts_with(wide.before) && end.ends_with(wide.after) &&
         shortest >= wide.before.size() + wide.after.size();
}

bool component_meets(const std::string& a, const std::string& b) {
  const Around one = around(a);
  const Around other = around(b);
  if (!one.star) return component_covers(b, a);
  if (!other.star) return component_covers(a, b);
  return (one.before.starts_with(other.before) || other.before.starts_with(one.before)) &&
         (one.after.ends_with(other.after) || other.after.ends_with(one.after));
}

using Relation = bool (*)(const std::string&, const std::string&);

bool first_components(const PatternForm& a, const PatternForm& b, std::size_t count,
                      Relation relation) {
  for (std::size_t i = 0; i < count; ++i)
    if (!relation(a.components[i], b.components[i])) return false;
  return true;
}

}  // namespace

bool covers(const PatternForm& outer, const PatternForm& inner) {
  if (outer.root == PatternRoot::home || inner.root == PatternRoot::home) return false;
  const bool everything =
      outer.root == PatternRoot::absolute && outer.subtree && outer.components.empty();
  if (everything) return true;
  if (outer.root == PatternRoot::anywhere)
    return !inner.subtree && component_covers(outer.components.back(), inner.components.back());
  if (inner.root == PatternRoot::anywhere) return false;
  const std::size_t size = outer.components.size();
  if (outer.subtree) {
    const std::size_t least = inner.subtree ? size : size + 1;
    return inner.components.size() >= least &&
           first_components(outer, inner, size, component_covers);
  }
  return !inner.subtree && inner.components.size() == size &&
         first_components(outer, inner, size, component_covers);
}

bool may_meet(const PatternForm& a, const PatternForm& b) {
  if (a.root == PatternRoot::home || b.root == PatternRoot::home) return true;
  if (a.root == PatternRoot::anywhere || b.root == PatternRoot::anywhere)
    return a.subtree || b.subtree || component_meets(a.components.back(), b.components.back());
  const std::size_t shared = std::min(a.components.size(), b.components.size());
  if (!first_components(a, b, shared, component_meets)) return false;
  if (a.subtree && b.subtree) return true;
  if (a.subtree) return b.components.size() > a.components.size();
  if (b.subtree) return a.components.size() > b.components.size();
  return a.components.size() == b.components.size();
}

}  // namespace ambit::policy
