#include "viewer/prompt.h"

#include <algorithm>

namespace ossloop::view {
namespace {

constexpr std::size_t kMostCharacters = 200;
constexpr char32_t kEraseLine = 'U' - '@';  // Ctrl-U

}  // namespace

Prompt::Result Prompt::press(const KeyPress& key) {
  choices_.clear();
  switch (key.named) {
    case NamedKey::kEnter:
      return Result::kDone;
    case NamedKey::kEscape:
      return Result::kGivenUp;
    case NamedKey::kBackspace:
      if (!text_.empty()) text_.pop_back();
      return Result::kGoesOn;
    case NamedKey::kTab:
      complete();
      return Result::kGoesOn;
    default:
      break;
  }
  if (key.character == kEraseLine) text_.clear();
  const bool printable = key.character >= ' ' && key.character <= '~';
  if (printable && text_.size() < kMostCharacters) text_ += static_cast<char>(key.character);
  return Result::kGoesOn;
}

// As far as all that begin with the word agree.
void Prompt::complete() {
  std::vector<std::string> found = completer_(text_);
  std::erase_if(found, [&](const std::string& word) { return !word.starts_with(text_); });
  if (found.empty()) return;
  std::string common = found.front();
  for (const std::string& word : found) {
    const auto [mine, theirs] =
        std::mismatch(common.begin(), common.end(), word.begin(), word.end());
    common.erase(mine, common.end());
  }
  text_ = common;
  if (found.size() < 2) return;
  for (const std::string& word : found) {
    // Of "key=value" the value alone, unless there is none.
    const std::size_t value = word.find('=') + 1;
    if (!choices_.empty()) choices_ += ' ';
    choices_.append(word, value < word.size() ? value : 0);
  }
}

std::string Prompt::line(int width) const {
  const std::string whole = label_ + text_ + "_";
  const auto room = static_cast<std::size_t>(std::max(width, 0));
  return whole.size() <= room ? whole : whole.substr(whole.size() - room);
}

}  // namespace ossloop::view
