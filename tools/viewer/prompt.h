// A line that the user types, with completion.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "viewer/monitor_keys.h"

namespace ossloop::view {

class Prompt {
 public:
  // What may stand in place of a word; what does not begin with it may be among it.
  using Completer = std::function<std::vector<std::string>(const std::string& word)>;
  enum class Result { kGoesOn, kDone, kGivenUp };

  Prompt(std::string label, Completer completer)
      : label_(std::move(label)), completer_(std::move(completer)) {}

  Result press(const KeyPress& key);

  const std::string& text() const { return text_; }
  // "policy of instance 0: eof=e", the end of it if that is wider.
  std::string line(int width) const;
  // What the last Tab found, where that was several things; else empty.
  const std::string& choices() const { return choices_; }

 private:
  void complete();

  std::string label_;
  Completer completer_;
  std::string text_;
  std::string choices_;
};

}  // namespace ossloop::view
