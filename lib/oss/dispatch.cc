// From an ioctl to its handler and back: the caller's memory, and the trace.
#include <errno.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>

#include "base/log.h"
#include "base/sys.h"
#include "oss/request_table.h"
#include "oss/text.h"

namespace ossloop::oss {
namespace {

constexpr std::size_t kLargestArgument = 4096;

// As a person reads it: a number, a text, the first numbers of a structure.
void describe(char (&text)[128], const Request& request, const std::byte* argument,
              std::size_t bytes) {
  text[0] = '\0';
  if (request.argument == ArgumentKind::kText) {
    std::snprintf(text, sizeof text, " \"%.*s\"",
                  static_cast<int>(strnlen(reinterpret_cast<const char*>(argument), bytes)),
                  reinterpret_cast<const char*>(argument));
    return;
  }
  std::size_t used = 0;
  for (std::size_t at = 0; at + 4 <= std::min<std::size_t>(bytes, 16); at += 4) {
    std::int32_t number;
    std::memcpy(&number, argument + at, sizeof number);
    const bool bits = number > 0xffff || number < -0xffff;
    const int more = std::snprintf(text + used, sizeof text - used, bits ? " 0x%x" : " %d",
                                   static_cast<unsigned>(number));
    used += static_cast<std::size_t>(std::max(more, 0));
  }
  if (bytes > 16) std::snprintf(text + used, sizeof text - used, " ...");
}

// An older program's structure may be shorter than ours (SOUND_MIXER_INFO had no
// counter once): it gets as much as it has room for.
std::size_t bytes_of(const Request& request, std::uint32_t code) {
  const std::size_t ours = argument_bytes(request.code);
  const std::size_t theirs = argument_bytes(code);
  return theirs == 0 ? ours : std::min(ours, theirs);
}

int call(const Request& request, const Target& target, std::uint32_t code, std::byte* copy,
         void* argument) {
  const std::size_t bytes = bytes_of(request, code);
  const bool gives = gives_argument(request.code);
  // Also what the request only gives is read: some of it asks (AUDIOINFO's dev),
  // and a pointer that cannot be written is told before anything is done.
  if (bytes != 0) {
    if (argument == nullptr) return -EFAULT;
    if (base::sys().copy_from_user(copy, argument, bytes) < 0) return -EFAULT;
    if (gives && base::sys().copy_to_user(argument, copy, bytes) < 0) return -EFAULT;
  }
  const int result = request.handle(target, copy);
  if (result < 0 || bytes == 0 || !gives) return result;
  return base::sys().copy_to_user(argument, copy, bytes) < 0 ? -EFAULT : result;
}

// OSS means the stream's own level by the mixer's PCM and RECLEV where it is asked
// of an audio device.
std::uint32_t on_audio_device(std::uint32_t code) {
  switch (code) {
    case SOUND_MIXER_READ_PCM:
      return SNDCTL_DSP_GETPLAYVOL;
    case SOUND_MIXER_WRITE_PCM:
      return SNDCTL_DSP_SETPLAYVOL;
    case SOUND_MIXER_READ_RECLEV:
      return SNDCTL_DSP_GETRECVOL;
    case SOUND_MIXER_WRITE_RECLEV:
      return SNDCTL_DSP_SETRECVOL;
    default:
      return code;
  }
}

}  // namespace

int serve(const Target& target, int fd, std::uint32_t code, void* argument) {
  const Request* request = find_request(target.dsp != nullptr ? on_audio_device(code) : code);
  if (request == nullptr || (request->audio_only && target.dsp == nullptr)) {
    base::log(base::LogLevel::kTrace, "ioctl %d, 0x%08x %s -> %d", fd, code,
              request == nullptr ? "unknown request" : request->name, -EINVAL);
    return -EINVAL;
  }
  alignas(16) std::array<std::byte, kLargestArgument> copy{};
  if (!base::log_enabled(base::LogLevel::kTrace)) {
    return call(*request, target, code, copy.data(), argument);
  }
  const std::size_t bytes = bytes_of(*request, code);
  char before[128], after[128];
  const bool readable =
      bytes == 0 ||
      (argument != nullptr && base::sys().copy_from_user(copy.data(), argument, bytes) >= 0);
  describe(before, *request, copy.data(), readable ? bytes : 0);
  const int result = call(*request, target, code, copy.data(), argument);
  describe(after, *request, copy.data(), gives_argument(request->code) && result >= 0 ? bytes : 0);
  base::log(base::LogLevel::kTrace, "ioctl %d, %s%s -> %d%s%s", fd, request->name,
            takes_argument(request->code) ? before : "", result, *after != '\0' ? "," : "", after);
  return result;
}

}  // namespace ossloop::oss
