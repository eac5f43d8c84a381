// Instances as text and as JSON.
#pragma once

#include <iosfwd>
#include <nlohmann/json.hpp>
#include <span>

#include "control/view.h"

namespace ossloop::ctl {

using Json = nlohmann::ordered_json;

// The same members always; null where there is nothing to tell.
Json to_json(const control::InstanceView& view);
Json to_json(std::span<const control::InstanceView> views);

void print_json(std::ostream& out, const Json& json);

// A line each.
void print_table(std::ostream& out, std::span<const control::InstanceView> views);
// A paragraph.
void print_status(std::ostream& out, const control::InstanceView& view);
// What changes all the time, in columns; `unix_seconds` is printed as local time.
void print_monitor_heading(std::ostream& out);
void print_monitor_line(std::ostream& out, double unix_seconds, const control::InstanceView& view);

}  // namespace ossloop::ctl
