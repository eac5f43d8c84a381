// The words of a segment, for who writes garbage into them.
#pragma once

#include <string>

#include "shared_fuzz.h"

namespace ossloop::fuzz {

struct Region {
  const char* name;
  std::size_t at, bytes;
  Part part = kWords;
};

struct Word {
  const Region* region;
  std::size_t at, bytes;
};

class Words {
 public:
  Words(Chance& chance, std::uint32_t parts, const Board& board);
  // The segment of a runtime folder, in place of the one before.
  void open(const std::string& folder);
  explicit operator bool() const { return segment_ != nullptr; }

  // False: none that may be written now.
  bool pick(Word& word);
  std::uint64_t load(const Word& word) const;
  void store(const Word& word, std::uint64_t value);
  // Something for a word that its readers may take for good, or not expect at all.
  std::uint64_t value_for(const Word& word);
  // Numbers at the ends of what there is.
  std::uint64_t plausible();

 private:
  Chance& chance_;
  const std::uint32_t parts_;
  const Board& board_;
  const std::uint64_t favourite_;  // half of all words are of this region
  unsigned char* segment_ = nullptr;
};

}  // namespace ossloop::fuzz
