#include "config/policy.h"

#include "config/value_text.h"

namespace ossloop::config {

void store_policy(const InstancePolicy& policy, abi::Policy& segment) {
  for (const Key& key : kKeys) {
    if (key.scope == Scope::kInstance) key.store(segment, policy[key]);
  }
}

InstancePolicy load_policy(const abi::Policy& segment) {
  InstancePolicy policy;
  for (const Key& key : kKeys) {
    if (key.scope == Scope::kInstance) policy[key] = checked(key, segment);
  }
  return policy;
}

std::uint32_t policy_bit(std::string_view key) {
  const Key* found = find_key(strip(key));
  if (found == nullptr || found->scope == Scope::kGlobal) return 0;
  static_assert(std::size(kKeys) <= 32);
  return 1U << (found - kKeys);
}

void refresh_policy(const InstancePolicy& configured, abi::Policy& segment) {
  const std::uint32_t pinned = segment.pinned.load(std::memory_order_relaxed);
  InstancePolicy policy = load_policy(segment);
  for (const Key& key : kKeys) {
    const bool kept = key.effect == Effect::kAtCreation || (pinned & policy_bit(key.name)) != 0;
    if (!kept) policy[key] = configured[key];
  }
  store_policy(policy, segment);
}

}  // namespace ossloop::config
