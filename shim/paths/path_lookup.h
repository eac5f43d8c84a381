// What a path leads to, as far as it is ours.
#pragma once

#include <errno.h>
#include <fcntl.h>
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

inline FollowLinks follow_if(bool follow) { return follow ? FollowLinks::kYes : FollowLinks::kNo; }
// What the flags of the calls that end in "at" say.
inline FollowLinks follow_unless_told(int flags) {
  return follow_if((flags & AT_SYMLINK_NOFOLLOW) == 0);
}
inline bool means_descriptor(const char* path, int flags) {
  return readable_text(path) && *path == '\0' && (flags & AT_EMPTY_PATH) != 0;
}

// A call that takes a path: `next` asks libc, with the path as given or as it must be.
template <typename Next>
struct PathCall {
  int dirfd;
  const char* path;
  Next next;
};
template <typename Next>
PathCall(int, const char*, Next) -> PathCall<Next>;

// `real` is called with its arguments in the order in which they stand here. It lives as
// long as the call. Static, so that the compiler puts the look-up into the only entry that
// has such a call.
template <typename Real, typename... Rest>
static auto path_call(Real&& real, const char* path, Rest... rest) {
  return PathCall{AT_FDCWD, path, [&real, rest...](const char* at) { return real(at, rest...); }};
}
template <typename Real, typename... Rest>
static auto path_call(Real&& real, int dirfd, const char* path, Rest... rest) {
  return PathCall{dirfd, path,
                  [&real, dirfd, rest...](const char* at) { return real(dirfd, at, rest...); }};
}

// `real` with what stands before the path.
template <typename Real, typename First>
static auto bound(Real& real, First first) {
  return [&real, first](auto... rest) { return real(first, rest...); };
}

inline bool failed(long result) { return result < 0; }
inline bool failed(const void* result) { return result == nullptr; }

// Asks libc, unless the path is one of ours. False: it is, and `result` says nothing.
template <typename Next, typename Result>
bool asked_libc(const PathCall<Next>& call, FollowLinks last, PathLookup& place, Result& result,
                Resolve want = Resolve::kName) {
  look_up(call.dirfd, call.path, last, place, want);
  if (place.ours) return false;
  result = call.next(place.rewritten ? place.text : call.path);
  if (!failed(result) || errno != ENOENT || place.rewritten) return true;
  resolve_after_enoent(call.dirfd, call.path, last, place);
  if (place.rewritten) result = call.next(place.text);
  return !place.ours;
}

// `ours` answers, with a value or -errno, if the path is one of ours; otherwise libc does.
template <typename Next, typename Ours>
auto by_name(const PathCall<Next>& call, FollowLinks last, Ours ours) {
  PathLookup place;
  const int saved = errno;
  auto result = decltype(call.next(call.path)){};
  if (asked_libc(call, last, place, result)) return result;
  const EngineApi* engine = load_engine();
  if (engine == nullptr) return call.next(call.path);
  result = place.error != 0 ? place.error : ours(*engine, place);
  if (!failed(result)) errno = saved;
  return to_libc(result);
}

// The same where `ours` is asked only of what exists.
template <typename Next, typename Ours>
auto by_existing_name(const PathCall<Next>& call, FollowLinks last, Ours ours) {
  return by_name(call, last, [&](const EngineApi& engine, const PathLookup& place) {
    const int error = exists(engine, place);
    return error != 0 ? error : ours(engine, place);
  });
}
// And where the answer, 0 or -errno, is one for all of ours.
template <typename Next>
auto refuse(const PathCall<Next>& call, int answer, FollowLinks last = FollowLinks::kYes) {
  return by_existing_name(call, last,
                          [answer](const EngineApi&, const PathLookup&) { return answer; });
}

}  // namespace ossloop::shim
