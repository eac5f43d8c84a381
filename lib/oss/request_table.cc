#include "oss/request_table.h"

#include <errno.h>

#include <type_traits>

namespace ossloop::oss {
namespace {

using device::kRead;
using device::kReadWrite;
using device::kWrite;

template <typename Argument>
constexpr ArgumentKind kKind = std::is_integral_v<Argument> ? ArgumentKind::kNumber
                               : std::is_array_v<Argument>  ? ArgumentKind::kText
                                                            : ArgumentKind::kStructure;

template <typename Object>
Object& object(const Target& target) {
  if constexpr (std::is_same_v<Object, Dsp>) return *target.dsp;
  if constexpr (std::is_same_v<Object, System>) return target.system;
  if constexpr (std::is_same_v<Object, Mixer>) return target.mixer;
}

// Adapts a typed member to the table: one that works on the argument, one that has none, or
// one that only tells something. `fixed` is what the row itself gives.
template <typename Object, typename Argument, typename... Fixed>
int call(int (Object::*member)(Argument&, Fixed...), const Target& target, void* argument,
         std::type_identity_t<Fixed>... fixed) {
  return (object<Object>(target).*member)(*static_cast<Argument*>(argument), fixed...);
}
template <typename Object, typename... Fixed>
int call(int (Object::*member)(Fixed...), const Target& target, void*,
         std::type_identity_t<Fixed>... fixed) {
  return (object<Object>(target).*member)(fixed...);
}
template <typename Object, typename Argument, typename... Fixed>
int call(Argument (Object::*member)(Fixed...) const, const Target& target, void* argument,
         std::type_identity_t<Fixed>... fixed) {
  *static_cast<Argument*>(argument) = (object<Object>(target).*member)(fixed...);
  return 0;
}

// What a member says of its request.
struct Signature {
  bool audio_only;
  ArgumentKind argument;
  std::size_t bytes;
};
template <typename Object, typename Argument, typename... Fixed>
constexpr Signature signature(int (Object::*)(Argument&, Fixed...)) {
  return {std::is_same_v<Object, Dsp>, kKind<Argument>, sizeof(Argument)};
}
template <typename Object, typename... Fixed>
constexpr Signature signature(int (Object::*)(Fixed...)) {
  return {std::is_same_v<Object, Dsp>, ArgumentKind::kNone, 0};
}
template <typename Object, typename Argument, typename... Fixed>
constexpr Signature signature(Argument (Object::*)(Fixed...) const) {
  return {std::is_same_v<Object, Dsp>, kKind<Argument>, sizeof(Argument)};
}

// The code encodes the size of its argument, so a handler of the wrong type does not compile.
template <std::uint32_t Code, auto Member, auto... Fixed>
constexpr Request served(const char* name, const char* help) {
  constexpr Signature kSignature = signature(Member);
  static_assert(argument_bytes(Code) == kSignature.bytes);
  return {Code,
          name,
          kSignature.argument,
          kSignature.audio_only,
          0,
          help,
          [](const Target& target, void* argument) {
            return call(Member, target, argument, Fixed...);
          }};
}

template <int Error>
int refuse(const Target&, void*) {
  return Error;
}
template <int Error>
constexpr Request refused(std::uint32_t code, const char* name, const char* help) {
  const std::uint32_t bytes = argument_bytes(code);
  const ArgumentKind kind = bytes == 0   ? ArgumentKind::kNone
                            : bytes == 4 ? ArgumentKind::kNumber
                                         : ArgumentKind::kStructure;
  return {code, name, kind, (code >> 8 & 0xff) == 'P', Error, help, refuse<Error>};
}

#define SERVED(code, member, help) served<code, &member>(#code, help)
#define SERVED_FOR(code, member, fixed, help) served<code, &member, fixed>(#code, help)
#define REFUSED(code, error, help) refused<error>(code, #code, help)
#define NO_CHANNEL(name)                                                       \
  REFUSED(SOUND_MIXER_READ_##name, -EINVAL, "The mixer has no such channel."), \
      REFUSED(SOUND_MIXER_WRITE_##name, -EINVAL, "The mixer has no such channel.")
#define CHANNEL(name, channel, what)                                  \
  SERVED_FOR(SOUND_MIXER_READ_##name, Mixer::level, channel,          \
             "Level of " what ", left | right << 8."),                \
      SERVED_FOR(SOUND_MIXER_WRITE_##name, Mixer::set_level, channel, \
                 "Sets the level of " what "; gives the level in force.")

constexpr char kVolume[] = "The stream's own level, left | right << 8, 0 to 100.";

constexpr Request kRequests[] = {
    // Formats.
    SERVED(SNDCTL_DSP_SETFMT, Dsp::set_format,
           "Sets the sample format, 0 asks; gives the one in force."),
    SERVED(SNDCTL_DSP_GETFMTS, Dsp::formats,
           "All sample formats, which conversion makes possible."),
    SERVED(SNDCTL_DSP_SPEED, Dsp::speed, "Sets the rate in Hz, 0 asks; gives the one in force."),
    SERVED(SNDCTL_DSP_CHANNELS, Dsp::channels,
           "Sets the channels, 0 asks; gives the number in force."),
    SERVED(SNDCTL_DSP_STEREO, Dsp::stereo, "0: one channel, 1: two; gives what is in force."),
    SERVED(SOUND_PCM_READ_RATE, Dsp::present_speed, "The rate in force."),
    SERVED(SOUND_PCM_READ_BITS, Dsp::present_format, "The sample format in force."),
    SERVED(SOUND_PCM_READ_CHANNELS, Dsp::present_channels, "The number of channels in force."),
    SERVED(SNDCTL_DSP_COOKEDMODE, Dsp::cooked_mode, "Taken; a client is always converted."),
    SERVED(SNDCTL_DSP_GET_CHNORDER, Dsp::channel_order, "L R C LFE LS RS LR RR, always."),
    SERVED(SNDCTL_DSP_SET_CHNORDER, Dsp::set_channel_order, "EINVAL for any other order."),
    // Buffers and positions.
    SERVED(SNDCTL_DSP_GETBLKSIZE, Dsp::block_size, "Bytes of a fragment."),
    SERVED(SNDCTL_DSP_SETFRAGMENT, Dsp::set_fragment,
           "0xMMMMSSSS: MMMM fragments of 2^SSSS bytes."),
    SERVED(SNDCTL_DSP_SUBDIVIDE, Dsp::subdivide, "Divides the fragments by 1, 2 or 4; 0 asks."),
    SERVED(SNDCTL_DSP_POLICY, Dsp::policy,
           "Fragments from 0 (least delay) to 10 (fewest wake-ups)."),
    SERVED(SNDCTL_DSP_LOW_WATER, Dsp::low_water, "Bytes from which poll() reports readiness."),
    SERVED_FOR(SNDCTL_DSP_GETOSPACE, Dsp::space, kWrite,
               "Room in the playback buffer. ENOTSUP: not open for it."),
    SERVED_FOR(SNDCTL_DSP_GETISPACE, Dsp::space, kRead,
               "Sound in the recording buffer. ENOTSUP: not open for it."),
    SERVED(SNDCTL_DSP_GETODELAY, Dsp::output_delay,
           "Bytes written and not yet played, the filter's included."),
    SERVED_FOR(SNDCTL_DSP_GETOPTR, Dsp::pointer, kWrite, "Position of playback in bytes."),
    SERVED_FOR(SNDCTL_DSP_GETIPTR, Dsp::pointer, kRead, "Position of recording in bytes."),
    SERVED_FOR(SNDCTL_DSP_CURRENT_OPTR, Dsp::current, kWrite, "Position of playback in frames."),
    SERVED_FOR(SNDCTL_DSP_CURRENT_IPTR, Dsp::current, kRead, "Position of recording in frames."),
    SERVED(SNDCTL_DSP_GETERROR, Dsp::errors, "Underruns and overruns since the last question."),
    SERVED_FOR(SNDCTL_DSP_GETIPEAKS, Dsp::peaks, kRead,
               "Peak of each channel recorded in the last tenth of a second."),
    SERVED_FOR(SNDCTL_DSP_GETOPEAKS, Dsp::peaks, kWrite,
               "Peak of each channel played in the last tenth of a second."),
    SERVED(OSSLOOP_DSP_LOOK, Dsp::look,
           "Where a stream is, and when it has room or sound. ENOTSUP: not open for it."),
    SERVED(OSSLOOP_DSP_BUFFER, Dsp::choose_buffer, "Fragments and a buffer of any size in frames."),
    // Flow.
    SERVED_FOR(SNDCTL_DSP_HALT, Dsp::halt, kReadWrite, "Drops what is queued; the stream goes on."),
    SERVED_FOR(SNDCTL_DSP_HALT_INPUT, Dsp::halt, kRead, "The same for recording alone."),
    SERVED_FOR(SNDCTL_DSP_HALT_OUTPUT, Dsp::halt, kWrite, "The same for playback alone."),
    SERVED(SNDCTL_DSP_SYNC, Dsp::sync, "Waits until all is played."),
    SERVED(SNDCTL_DSP_POST, Dsp::post, "Taken; sound is played as soon as it is written."),
    SERVED(SNDCTL_DSP_SILENCE, Dsp::silence, "What is queued becomes silence."),
    SERVED(OSSLOOP_DSP_PAUSE, Dsp::pause,
           "1: what is queued waits, 0: it goes on. ENOTSUP: not open for playback."),
    SERVED(SNDCTL_DSP_SKIP, Dsp::skip, "Drops what is queued for playback."),
    SERVED(SNDCTL_DSP_NONBLOCK, Dsp::nonblock, "As O_NONBLOCK."),
    SERVED(SNDCTL_DSP_GETTRIGGER, Dsp::trigger, "The directions that may run."),
    SERVED(SNDCTL_DSP_SETTRIGGER, Dsp::set_trigger, "Lets directions run, stops the others."),
    SERVED(SNDCTL_DSP_SYNCGROUP, Dsp::join_group,
           "Joins devices of this program that start together; id 0 makes a group."),
    SERVED(SNDCTL_DSP_SYNCSTART, Dsp::start_group, "Starts a group, all on the same frame."),
    SERVED(SNDCTL_DSP_SETDUPLEX, Dsp::set_duplex, "ENOTSUP: a loop goes one way."),
    SERVED(SNDCTL_DSP_PROFILE, Dsp::profile, "Taken; a hint."),
    SERVED(SNDCTL_DSP_GETCAPS, Dsp::capabilities, "PCM_CAP_ bits of the device as it is open."),
    // Levels of the stream, targets and sources. On an audio device OSS means the
    // stream's own level by PCM and RECLEV too.
    SERVED_FOR(SNDCTL_DSP_GETPLAYVOL, Dsp::volume, kWrite, kVolume),
    SERVED_FOR(SNDCTL_DSP_SETPLAYVOL, Dsp::set_volume, kWrite, kVolume),
    SERVED_FOR(SNDCTL_DSP_GETRECVOL, Dsp::volume, kRead, kVolume),
    SERVED_FOR(SNDCTL_DSP_SETRECVOL, Dsp::set_volume, kRead, kVolume),
    SERVED_FOR(SNDCTL_DSP_GET_PLAYTGT, Dsp::target, kWrite, "0: there is one target."),
    SERVED_FOR(SNDCTL_DSP_SET_PLAYTGT, Dsp::target, kWrite, "0: there is one target."),
    SERVED_FOR(SNDCTL_DSP_GET_PLAYTGT_NAMES, Dsp::target_names, kWrite, "One: loop."),
    SERVED_FOR(SNDCTL_DSP_GET_RECSRC, Dsp::target, kRead, "0: there is one source."),
    SERVED_FOR(SNDCTL_DSP_SET_RECSRC, Dsp::target, kRead, "0: there is one source."),
    SERVED_FOR(SNDCTL_DSP_GET_RECSRC_NAMES, Dsp::target_names, kRead, "One: loop."),
    // What a loop has not.
    REFUSED(SNDCTL_DSP_SETSYNCRO, -EINVAL,
            "OSS itself does not have it any more; SYNCGROUP is for that."),
    REFUSED(SNDCTL_DSP_READCTL, -EINVAL, "There is no digital receiver."),
    REFUSED(SNDCTL_DSP_WRITECTL, -EINVAL, "There is no digital transmitter."),
    REFUSED(SNDCTL_DSP_GETCHANNELMASK, -EINVAL, "Channels are not bound to speakers."),
    REFUSED(SNDCTL_DSP_BIND_CHANNEL, -EINVAL, "Channels are not bound to speakers."),
    REFUSED(SNDCTL_DSP_MODEM_OFFHOOK, -EINVAL, "There is no telephone line."),
    REFUSED(SNDCTL_DSP_MAPINBUF, -EINVAL, "Buffers are mapped by mmap()."),
    REFUSED(SNDCTL_DSP_MAPOUTBUF, -EINVAL, "Buffers are mapped by mmap()."),
    REFUSED(SOUND_PCM_READ_FILTER, -EINVAL, "There is no filter to set."),
    REFUSED(SOUND_PCM_WRITE_FILTER, -EINVAL, "There is no filter to set."),
    // Names.
    SERVED(SNDCTL_SETSONG, Dsp::set_song, "The title of what is played, for others to see."),
    SERVED(SNDCTL_GETSONG, Dsp::song, "The title as it was set."),
    SERVED(SNDCTL_SETLABEL, Dsp::set_label, "A label of the stream."),
    SERVED(SNDCTL_GETLABEL, Dsp::label, "The label as it was set."),
    SERVED(SNDCTL_SETNAME, Dsp::set_name, "The name of the program, as others see it."),
    // The system.
    SERVED(OSS_GETVERSION, System::version, "0x040100."),
    SERVED(SNDCTL_SYSINFO, System::system_info, "Version, numbers of devices, which are open."),
    SERVED(SNDCTL_AUDIOINFO, System::audio_info, "All about an audio device; dev -1 is this one."),
    SERVED(SNDCTL_AUDIOINFO_EX, System::audio_info, "The same."),
    SERVED(SNDCTL_ENGINEINFO, System::engine_info,
           "The same of an engine: each device has one of its own number, and each further client "
           "that `clients` allows one behind."),
    SERVED(SNDCTL_CARDINFO, System::card_info, "About card 0, the only one."),
    // The mixer of OSS 4.
    SERVED(SNDCTL_MIX_NRMIX, Mixer::mixers, "How many mixers there are."),
    SERVED(SNDCTL_MIXERINFO, Mixer::info, "About a mixer; dev -1 is this device's."),
    SERVED(SNDCTL_MIX_NREXT, Mixer::controls, "How many controls the mixer of this number has."),
    SERVED(SNDCTL_MIX_EXTINFO, Mixer::control_info, "About a control."),
    SERVED(SNDCTL_MIX_READ, Mixer::value, "The value of a control."),
    SERVED(SNDCTL_MIX_WRITE, Mixer::set_value, "Sets a control; gives the value in force."),
    SERVED(SNDCTL_MIX_ENUMINFO, Mixer::value_names, "Names of the values of an enumeration."),
    SERVED(SNDCTL_MIX_DESCRIPTION, Mixer::description, "What a control does, in words."),
    REFUSED(SNDCTL_MIX_MATRIX_READ, -EINVAL, "There is no matrix mixer."),
    REFUSED(SNDCTL_MIX_MATRIX_WRITE, -EINVAL, "There is no matrix mixer."),
    // The mixer of OSS 3.
    CHANNEL(VOLUME, abi::kMixVolume, "all that the client side plays or records"),
    CHANNEL(PCM, abi::kMixPcm, "what the client side plays (of an audio device: the stream's own)"),
    CHANNEL(IGAIN, abi::kMixInput, "what the client side records"),
    CHANNEL(RECLEV, abi::kMixInput,
            "what the client side records (of an audio device: the stream's own)"),
    CHANNEL(MAINVOL, abi::kMixVolume, "all, as VOLUME"),
    CHANNEL(RECGAIN, abi::kMixInput, "what is recorded, as IGAIN"),
    NO_CHANNEL(BASS),
    NO_CHANNEL(TREBLE),
    NO_CHANNEL(SYNTH),
    NO_CHANNEL(SPEAKER),
    NO_CHANNEL(LINE),
    NO_CHANNEL(MIC),
    NO_CHANNEL(CD),
    NO_CHANNEL(IMIX),
    NO_CHANNEL(ALTPCM),
    NO_CHANNEL(OGAIN),
    NO_CHANNEL(LINE1),
    NO_CHANNEL(LINE2),
    NO_CHANNEL(LINE3),
    NO_CHANNEL(ENHANCE),
    NO_CHANNEL(MONGAIN),
    SERVED(SOUND_MIXER_READ_DEVMASK, Mixer::channels, "VOLUME, PCM, IGAIN."),
    SERVED(SOUND_MIXER_READ_STEREODEVS, Mixer::channels, "All of them."),
    SERVED(SOUND_MIXER_READ_RECMASK, Mixer::record_channels, "IGAIN."),
    SERVED(SOUND_MIXER_READ_RECSRC, Mixer::record_channels, "IGAIN, always."),
    SERVED(SOUND_MIXER_WRITE_RECSRC, Mixer::record_channels, "IGAIN, whatever is asked for."),
    SERVED(SOUND_MIXER_READ_CAPS, Mixer::capabilities, "One source at a time."),
    SERVED(SOUND_MIXER_INFO, Mixer::legacy_info,
           "Names, and a counter of changes; also in its older, shorter form."),
    REFUSED(SOUND_MIXER_PRIVATE1, -EINVAL, "For drivers of certain cards."),
    REFUSED(SOUND_MIXER_PRIVATE2, -EINVAL, "For drivers of certain cards."),
    REFUSED(SOUND_MIXER_PRIVATE3, -EINVAL, "For drivers of certain cards."),
    REFUSED(SOUND_MIXER_PRIVATE4, -EINVAL, "For drivers of certain cards."),
    REFUSED(SOUND_MIXER_PRIVATE5, -EINVAL, "For drivers of certain cards."),
    REFUSED(SOUND_MIXER_GETLEVELS, -EINVAL, "For a program that OSS no longer has."),
    REFUSED(SOUND_MIXER_SETLEVELS, -EINVAL, "For a program that OSS no longer has."),
    REFUSED(SOUND_MIXER_RESERVED, -EINVAL, "Never had a meaning."),
};

#undef SERVED
#undef SERVED_FOR
#undef REFUSED
#undef CHANNEL
#undef NO_CHANNEL

}  // namespace

std::span<const Request> requests() { return kRequests; }

const Request* find_request(std::uint32_t code) {
  const Request* alike = nullptr;
  int best = -1;
  for (const Request& request : kRequests) {
    if (request.code == code) return &request;
    if ((request.code & 0xffff) != (code & 0xffff)) continue;
    const int likeness = (argument_bytes(request.code) == argument_bytes(code) ? 4 : 0) +
                         (takes_argument(request.code) == takes_argument(code) ? 2 : 0) +
                         (gives_argument(request.code) == gives_argument(code) ? 1 : 0);
    if (likeness <= best) continue;
    best = likeness;
    alike = &request;
  }
  return alike;
}

}  // namespace ossloop::oss
