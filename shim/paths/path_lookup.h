// What a path leads to, as far as it is ours.
#pragma once

#include <errno.h>
#include <limits.h>

#include "shim/engine_loader.h"
#include "shim/paths/path_memory.h"
#include "shim/paths/virtual_directory.h"

namespace ossloop::shim {

struct PathLookup {
  bool ours = false;
  config::DeviceName name;  // a device or a virtual folder
  // -ENOTDIR, -ENOENT: the path is ours and leads nowhere.
  int error = 0;
  bool at_end = false;  // no more than a slash follows what there is none of
  // Not ours, but the way to it leads through a virtual folder: libc must take
  // `text` instead.
  bool rewritten = false;
  // The canonical path, if look_up() was asked for it.
  const char* text = "";

  // nullptr if there is none to be had.
  PathMemory* memory() { return memory_.get(); }

 private:
  PathPages memory_;
};

enum class FollowLinks { kNo, kYes };
enum class Resolve { kName, kCanonical };

// Decides before libc is asked, by the path's text in nearly every case.
void look_up(int dirfd, const char* path, FollowLinks last, PathLookup& place,
             Resolve want = Resolve::kName);
// After libc said ENOENT: a link to one of our names leads to nothing in the file
// system.
void resolve_after_enoent(int dirfd, const char* path, FollowLinks last, PathLookup& place);

// As stat() says of a device or folder. 0 or -errno.
int describe(const EngineApi& engine, const PathLookup& place, struct stat& status);
// The same, with no interest in what it says.
int exists(const EngineApi& engine, const PathLookup& place);
// The real folder behind a virtual one, in `path`. 0 or -errno.
int real_folder(const EngineApi& engine, const PathLookup& place, char* path, size_t bytes);

inline bool failed(long result) { return result < 0; }
inline bool failed(const void* result) { return result == nullptr; }

// `ours` answers, with a value or -errno, if the path is one of ours; otherwise
// `next` asks libc, with the path as given or as it must be.
template <typename Result, typename Next, typename Ours>
Result by_name(int dirfd, const char* path, FollowLinks last, Next next, Ours ours) {
  PathLookup place;
  const int saved = errno;
  look_up(dirfd, path, last, place);
  if (!place.ours) {
    const Result result = next(place.rewritten ? place.text : path);
    if (!failed(result) || errno != ENOENT || place.rewritten) return result;
    resolve_after_enoent(dirfd, path, last, place);
    if (place.rewritten) return next(place.text);
    if (!place.ours) return result;
  }
  const EngineApi* engine = load_engine();
  if (engine == nullptr) return next(path);
  const Result result = place.error != 0 ? static_cast<Result>(place.error) : ours(*engine, place);
  if (!failed(result)) errno = saved;
  return to_libc(result);
}

}  // namespace ossloop::shim
