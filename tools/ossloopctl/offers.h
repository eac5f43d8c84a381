// What the options and words of the commands accept, for completion in a shell.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>
#include <vector>

namespace ossloop::ctl {

struct Candidate {
  std::string word;
  std::string help;
};

struct Offers {
  std::vector<Candidate> words;
  bool files = false;  // and any file
};

// What may stand in place of `word`, with `place` words of the same kind before it. What
// does not begin with `word` may be among it: the shells choose.
using OfferSource = Offers (*)(const std::string& word, std::size_t place);

Offers offer_instances(const std::string& word, std::size_t place);
// Policies with their values.
Offers offer_policies(const std::string& word, std::size_t place);
// A number that is free, and policies.
Offers offer_new_instance(const std::string& word, std::size_t place);
Offers offer_file_kinds(const std::string& word, std::size_t place);
Offers offer_encodings(const std::string& word, std::size_t place);
Offers offer_files(const std::string& word, std::size_t place);

// Says what `option` accepts, and returns it.
CLI::Option* offer(CLI::Option* option, OfferSource source);

// nullptr: nobody said.
OfferSource offers_of(const CLI::Option* option);

}  // namespace ossloop::ctl
