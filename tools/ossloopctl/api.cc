// ossloopctl api: the requests of the OSS API and what becomes of each.
#include <errno.h>

#include <iomanip>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

#include "oss/request_table.h"
#include "ossloopctl/command.h"
#include "ossloopctl/show.h"

namespace ossloop::ctl {
namespace {

using oss::ArgumentKind;
using oss::Request;

std::string code_text(std::uint32_t code) {
  std::ostringstream text;
  text << "0x" << std::hex << std::setw(8) << std::setfill('0') << code;
  return text.str();
}

const char* way(std::uint32_t code) {
  if (oss::takes_argument(code)) return oss::gives_argument(code) ? "in, out" : "in";
  return oss::gives_argument(code) ? "out" : "";
}

std::string argument_text(const Request& request) {
  const std::uint32_t bytes = oss::argument_bytes(request.code);
  const auto sized = [&](const char* what) { return what + (" of " + std::to_string(bytes)); };
  switch (request.argument) {
    case ArgumentKind::kNone:
      return "none";
    case ArgumentKind::kNumber:
      return bytes == 4 ? "int" : "64-bit int";
    case ArgumentKind::kText:
      return sized("text");
    case ArgumentKind::kStructure:
      break;
  }
  return sized("structure");
}

std::string answer(const Request& request) {
  if (request.refusal == 0) return request.help;
  return std::string(strerrorname_np(-request.refusal)) + ". " + request.help;
}

Json to_json(const Request& request) {
  Json json{{"name", request.name},
            {"code", request.code},
            {"argument_bytes", oss::argument_bytes(request.code)},
            {"takes_argument", oss::takes_argument(request.code)},
            {"gives_argument", oss::gives_argument(request.code)},
            {"on_mixers", !request.audio_only},
            {"refused", nullptr},
            {"help", request.help}};
  if (request.refusal != 0) json["refused"] = strerrorname_np(-request.refusal);
  return json;
}

void print_page() {
  std::cout << "Requests of the OSS API, by type and number. Those marked with * are served on\n"
               "audio devices alone, the others on mixers too. Any other request is EINVAL; an\n"
               "argument that cannot be read or written is EFAULT.\n\n";
  for (const Request& request : oss::requests()) {
    const std::string marked = std::string(request.name) + (request.audio_only ? " *" : "");
    std::cout << std::left << std::setw(32) << marked << code_text(request.code) << "  "
              << std::setw(18) << argument_text(request) << std::setw(9) << way(request.code)
              << answer(request) << "\n";
  }
}

}  // namespace

void add_api(CLI::App& app, int& status) {
  CLI::App* command =
      app.add_subcommand("api", "Lists the requests of the OSS API and what becomes of each");
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "As JSON: an array of objects");
  command->callback([json, &status] {
    if (*json) {
      Json all = Json::array();
      for (const Request& request : oss::requests()) all.push_back(to_json(request));
      print_json(std::cout, all);
    } else {
      print_page();
    }
    status = kDone;
  });
}

}  // namespace ossloop::ctl
