#include "oss/request_table.h"

#include <errno.h>

#include <array>
#include <cstring>

#include "base/log.h"
#include "base/sys.h"

namespace ossloop::oss {
namespace {

// Adapts a typed member to the table. The code encodes the size of its argument,
// so a handler of the wrong type does not compile.
template <std::uint32_t Code, typename Argument>
constexpr Request row(const char* name, int (Dsp::*)(Argument&),
                      int (*handle)(Dsp&, void*)) {
  static_assert(argument_bytes(Code) == sizeof(Argument));
  return {Code, name, handle};
}
template <std::uint32_t Code>
constexpr Request row(const char* name, int (Dsp::*)(), int (*handle)(Dsp&, void*)) {
  static_assert(argument_bytes(Code) == 0);
  return {Code, name, handle};
}

template <auto Member>
struct Adapter;
template <typename Argument, int (Dsp::*Member)(Argument&)>
struct Adapter<Member> {
  static int handle(Dsp& dsp, void* argument) {
    return (dsp.*Member)(*static_cast<Argument*>(argument));
  }
};
template <int (Dsp::*Member)()>
struct Adapter<Member> {
  static int handle(Dsp& dsp, void*) { return (dsp.*Member)(); }
};

#define OSSLOOP_REQUEST(code, member) row<code>(#code, &Dsp::member, Adapter<&Dsp::member>::handle)

constexpr Request kRequests[] = {
    OSSLOOP_REQUEST(SNDCTL_DSP_SETFMT, set_format),
    OSSLOOP_REQUEST(SNDCTL_DSP_GETFMTS, formats),
    OSSLOOP_REQUEST(SNDCTL_DSP_SPEED, speed),
    OSSLOOP_REQUEST(SNDCTL_DSP_CHANNELS, channels),
    OSSLOOP_REQUEST(SNDCTL_DSP_STEREO, stereo),
    OSSLOOP_REQUEST(SNDCTL_DSP_COOKEDMODE, cooked_mode),
    OSSLOOP_REQUEST(SNDCTL_DSP_GET_CHNORDER, channel_order),
    OSSLOOP_REQUEST(SNDCTL_DSP_SET_CHNORDER, set_channel_order),
    OSSLOOP_REQUEST(SNDCTL_DSP_GETBLKSIZE, block_size),
    OSSLOOP_REQUEST(SNDCTL_DSP_SETFRAGMENT, set_fragment),
    OSSLOOP_REQUEST(SNDCTL_DSP_SUBDIVIDE, subdivide),
    OSSLOOP_REQUEST(SNDCTL_DSP_POLICY, policy),
    OSSLOOP_REQUEST(SNDCTL_DSP_LOW_WATER, low_water),
    OSSLOOP_REQUEST(SNDCTL_DSP_GETOSPACE, output_space),
    OSSLOOP_REQUEST(SNDCTL_DSP_GETISPACE, input_space),
    OSSLOOP_REQUEST(SNDCTL_DSP_GETODELAY, output_delay),
    OSSLOOP_REQUEST(SNDCTL_DSP_GETOPTR, output_pointer),
    OSSLOOP_REQUEST(SNDCTL_DSP_GETIPTR, input_pointer),
    OSSLOOP_REQUEST(SNDCTL_DSP_CURRENT_OPTR, current_output),
    OSSLOOP_REQUEST(SNDCTL_DSP_CURRENT_IPTR, current_input),
    OSSLOOP_REQUEST(SNDCTL_DSP_GETERROR, errors),
    OSSLOOP_REQUEST(SNDCTL_DSP_HALT, halt),
    OSSLOOP_REQUEST(SNDCTL_DSP_HALT_INPUT, halt_input),
    OSSLOOP_REQUEST(SNDCTL_DSP_HALT_OUTPUT, halt_output),
    OSSLOOP_REQUEST(SNDCTL_DSP_SYNC, sync),
    OSSLOOP_REQUEST(SNDCTL_DSP_POST, post),
    OSSLOOP_REQUEST(SNDCTL_DSP_NONBLOCK, nonblock),
    OSSLOOP_REQUEST(SNDCTL_DSP_GETTRIGGER, trigger),
    OSSLOOP_REQUEST(SNDCTL_DSP_SETTRIGGER, set_trigger),
    OSSLOOP_REQUEST(SNDCTL_DSP_SETDUPLEX, set_duplex),
    OSSLOOP_REQUEST(SNDCTL_DSP_PROFILE, profile),
    OSSLOOP_REQUEST(SNDCTL_DSP_GETCAPS, capabilities),
    OSSLOOP_REQUEST(SNDCTL_DSP_GETPLAYVOL, play_volume),
    OSSLOOP_REQUEST(SNDCTL_DSP_SETPLAYVOL, set_play_volume),
    OSSLOOP_REQUEST(SNDCTL_DSP_GETRECVOL, record_volume),
    OSSLOOP_REQUEST(SNDCTL_DSP_SETRECVOL, set_record_volume),
    OSSLOOP_REQUEST(SNDCTL_DSP_GET_PLAYTGT, play_target),
    OSSLOOP_REQUEST(SNDCTL_DSP_SET_PLAYTGT, play_target),
    OSSLOOP_REQUEST(SNDCTL_DSP_GET_PLAYTGT_NAMES, play_target_names),
    OSSLOOP_REQUEST(SNDCTL_DSP_GET_RECSRC, record_source),
    OSSLOOP_REQUEST(SNDCTL_DSP_SET_RECSRC, record_source),
    OSSLOOP_REQUEST(SNDCTL_DSP_GET_RECSRC_NAMES, record_source_names),
    OSSLOOP_REQUEST(SNDCTL_SETSONG, set_song),
    OSSLOOP_REQUEST(SNDCTL_GETSONG, song),
    OSSLOOP_REQUEST(SNDCTL_SETLABEL, set_label),
    OSSLOOP_REQUEST(SNDCTL_GETLABEL, label),
    OSSLOOP_REQUEST(SNDCTL_SETNAME, set_name),
    OSSLOOP_REQUEST(OSS_GETVERSION, version),
    OSSLOOP_REQUEST(SNDCTL_SYSINFO, system_info),
    OSSLOOP_REQUEST(SNDCTL_AUDIOINFO, audio_info),
    OSSLOOP_REQUEST(SNDCTL_AUDIOINFO_EX, audio_info),
    OSSLOOP_REQUEST(SNDCTL_ENGINEINFO, engine_info),
    OSSLOOP_REQUEST(SNDCTL_CARDINFO, card_info),
};

#undef OSSLOOP_REQUEST

constexpr std::uint32_t largest_argument() {
  std::uint32_t largest = 0;
  for (const Request& request : kRequests) {
    if (argument_bytes(request.code) > largest) largest = argument_bytes(request.code);
  }
  return largest;
}

}  // namespace

std::span<const Request> requests() { return kRequests; }

const Request* find_request(std::uint32_t code) {
  const Request* alike = nullptr;
  for (const Request& request : kRequests) {
    if (request.code == code) return &request;
    if ((request.code & 0xffff) != (code & 0xffff)) continue;
    if (alike == nullptr || takes_argument(request.code) == takes_argument(code)) alike = &request;
  }
  return alike;
}

int serve(Dsp& dsp, std::uint32_t code, void* argument) {
  const Request* request = find_request(code);
  if (request == nullptr) {
    base::log(base::LogLevel::kTrace, "ioctl 0x%08x: unknown request", code);
    return -EINVAL;
  }
  alignas(16) std::array<std::byte, largest_argument()> copy;
  const std::size_t bytes = argument_bytes(request->code);
  // Also what the request only gives is read: some of it asks (AUDIOINFO's dev),
  // and a pointer that cannot be written is told before anything is done.
  if (bytes != 0) {
    if (argument == nullptr) return -EFAULT;
    if (base::sys().copy_from_user(copy.data(), argument, bytes) < 0) return -EFAULT;
    if (gives_argument(request->code) &&
        base::sys().copy_to_user(argument, copy.data(), bytes) < 0) {
      return -EFAULT;
    }
  }
  int result = request->handle(dsp, copy.data());
  if (result >= 0 && bytes != 0 && gives_argument(request->code) &&
      base::sys().copy_to_user(argument, copy.data(), bytes) < 0) {
    result = -EFAULT;
  }
  base::log(base::LogLevel::kTrace, "%s %d -> %d", request->name,
            bytes >= 4 ? *reinterpret_cast<std::int32_t*>(copy.data()) : 0, result);
  return result;
}

}  // namespace ossloop::oss
