// What may stand at the cursor of a command line of this tool, as its options are declared.
#include <iostream>
#include <optional>

#include "ossloopctl/command.h"
#include "ossloopctl/offers.h"

namespace ossloop::ctl {
namespace {

// A command line up to the cursor, as CLI11 will read it.
class Line {
 public:
  Line(const CLI::App& app, const std::vector<std::string>& words) : app_(app) {
    for (std::size_t i = 0; i + 1 < words.size() && !program_ && !wrong_; ++i) pass(words[i], i);
    if (!words.empty()) current_ = words.back();
    const bool begins = command_ != nullptr && command_->get_prefix_command() && !expects_value_ &&
                        (options_ended_ || !current_.starts_with('-'));
    if (begins && !program_ && !words.empty()) program_ = words.size() - 1;
  }

  void print() const {
    const bool begins_option = !options_ended_ && current_.starts_with('-');
    const std::size_t equals = begins_option ? current_.find('=') : std::string::npos;
    if (wrong_) return;
    if (program_) {
      std::cout << ":program " << *program_ << "\n";
    } else if (expects_value_) {
      print_values(expects_value_, current_, 0, "");
    } else if (equals != std::string::npos) {
      const CLI::Option* option = find(current_.substr(0, equals));
      print_values(option, current_.substr(equals + 1), 0, current_.substr(0, equals + 1));
    } else if (command_ == nullptr && !begins_option) {
      print_commands();
    } else if (const CLI::Option* next = begins_option ? nullptr : positional()) {
      print_values(next, current_, next->get_items_expected_max() > 1 ? words_ : 0, "");
    } else {
      print_options();
    }
  }

 private:
  const CLI::App& scope() const { return command_ != nullptr ? *command_ : app_; }

  // nullptr: there is none.
  const CLI::Option* find(const std::string& name) const {
    return scope().get_option_no_throw(name);
  }

  void pass(const std::string& word, std::size_t place) {
    if (expects_value_) {
      expects_value_ = nullptr;
    } else if (!options_ended_ && word == "--") {
      options_ended_ = true;
    } else if (!options_ended_ && word.starts_with('-') && word != "-") {
      const CLI::Option* option = find(word);
      if (option != nullptr && option->get_items_expected() > 0) expects_value_ = option;
    } else if (command_ == nullptr) {
      for (const CLI::App* command : app_.get_subcommands({})) {
        if (command->get_name() == word) command_ = command;
      }
      wrong_ = command_ == nullptr;
    } else if (command_->get_prefix_command()) {
      program_ = place;
    } else {
      ++words_;
    }
  }

  // That which the next word is for; nullptr if there are enough.
  const CLI::Option* positional() const {
    std::size_t place = 0;
    for (const CLI::Option* option : scope().get_options()) {
      if (!option->get_positional()) continue;
      if (place++ == words_ || option->get_items_expected_max() > 1) return option;
    }
    return nullptr;
  }

  static void print_line(const std::string& word, const std::string& help) {
    std::cout << word << "\t" << help << "\n";
  }

  static void print_values(const CLI::Option* option, const std::string& word, std::size_t place,
                           const std::string& before) {
    const OfferSource source = offers_of(option);
    if (source == nullptr) return;
    const Offers offers = source(word, place);
    for (const Candidate& candidate : offers.words) {
      print_line(before + candidate.word, candidate.help);
    }
    if (offers.files) std::cout << ":files\n";
  }

  void print_commands() const {
    for (const CLI::App* command : app_.get_subcommands({})) {
      print_line(command->get_name(), command->get_description());
    }
  }

  void print_options() const {
    for (const CLI::Option* option : scope().get_options()) {
      for (const std::string& name : option->get_lnames()) {
        print_line("--" + name, option->get_description());
      }
      for (const std::string& name : option->get_snames()) {
        print_line("-" + name, option->get_description());
      }
    }
  }

  const CLI::App& app_;
  const CLI::App* command_ = nullptr;
  const CLI::Option* expects_value_ = nullptr;
  std::string current_;
  bool options_ended_ = false;
  bool wrong_ = false;
  std::size_t words_ = 0;  // of the command, options left out
  std::optional<std::size_t> program_;
};

}  // namespace

void complete(const CLI::App& app, const std::vector<std::string>& words) {
  Line(app, words).print();
}

}  // namespace ossloop::ctl
