// Rings that stay in memory from one case to the next: to reserve, map and touch one takes
// longer than to play through it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace ossloop::property {

// As long as there is one, the library's rings lie in a file that is long enough from the
// beginning, and what it unmaps is given to it again when it maps the same ring.
class KeptMemory {
 public:
  KeptMemory();
  ~KeptMemory();
  KeptMemory(const KeptMemory&) = delete;
  KeptMemory& operator=(const KeptMemory&) = delete;

  // Else the kernel maps and unmaps each ring, so that a use of one that is not mapped any
  // more is seen.
  void keep(bool on);

  // What is mapped from now on is mapped by the player.
  void player_acts(bool on);
  // The player's rings, each mapped twice at `address`, one behind the other.
  using Visit = std::function<void(void* address, std::size_t bytes)>;
  void each_of_player(const Visit& visit) const;
  // If it acts, what it stores from now on in its rings, which lie in this file, reaches
  // nobody.
  void bury_player(int fd);
};

}  // namespace ossloop::property
