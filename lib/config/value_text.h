// The values of keys as people write and read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/config.h"

namespace ossloop::config {

// Without the blanks around it.
std::string_view strip(std::string_view text);

// Decimal digits, at least one and at most nine.
bool parse_digits(std::string_view text, std::int64_t& number);

// False, and nothing is changed, if `text` is not what accepted() says.
bool parse_policy(const Key& key, std::string_view text, InstancePolicy& policy);
bool parse_global(const Key& key, std::string_view text, Config& config);

std::string format_policy(const Key& key, const InstancePolicy& policy);

// What may stand there, in words.
std::string accepted(const Key& key);

}  // namespace ossloop::config
