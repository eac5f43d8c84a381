// The OSS 4.1 programming interface as a compiled program sees it.
//
// Names are OSS's own, values and layouts are those of LP64 and ILP32 Linux.
// They are constants, not macros: never include <sys/soundcard.h> or
// <linux/soundcard.h> in the same file, whose macros have the same names.
#ifndef OSSLOOP_OSS_SOUNDCARD_H_
#define OSSLOOP_OSS_SOUNDCARD_H_

#include <bit>
#include <cstddef>
#include <cstdint>

namespace ossloop::oss {

inline constexpr bool kLittleEndian = std::endian::native == std::endian::little;

// Version of the API, and the sizes of its strings and tables.
inline constexpr std::int32_t OSS_VERSION = 0x40100;
inline constexpr std::uint32_t OSS_LABEL_SIZE = 16;
inline constexpr std::uint32_t OSS_ID_SIZE = 16;
inline constexpr std::uint32_t OSS_DEVNODE_SIZE = 32;
inline constexpr std::uint32_t OSS_HANDLE_SIZE = 32;
inline constexpr std::uint32_t OSS_DEVNAME_SIZE = 64;
inline constexpr std::uint32_t OSS_LONGNAME_SIZE = 64;
inline constexpr std::uint32_t OSS_CMD_SIZE = 64;
inline constexpr std::uint32_t OSS_MAX_SAMPLE_RATES = 20;
inline constexpr std::uint32_t OSS_ENUM_MAXVALUE = 255;
inline constexpr std::uint32_t OSS_ENUM_STRINGSIZE = 3000;
inline constexpr std::uint32_t MAX_PEAK_CHANNELS = 128;

// Strings and tables that are passed without a structure around them.
using oss_label_t = char[OSS_LABEL_SIZE];
using oss_longname_t = char[OSS_LONGNAME_SIZE];
using oss_devnode_t = char[OSS_DEVNODE_SIZE];
using oss_peaks_t = std::uint16_t[MAX_PEAK_CHANNELS];

// Sample formats. NE is the order of this machine, OE the other one.
inline constexpr std::int32_t AFMT_QUERY = 0x0;
inline constexpr std::int32_t AFMT_MU_LAW = 0x1;
inline constexpr std::int32_t AFMT_A_LAW = 0x2;
inline constexpr std::int32_t AFMT_IMA_ADPCM = 0x4;
inline constexpr std::int32_t AFMT_U8 = 0x8;
inline constexpr std::int32_t AFMT_S16_LE = 0x10;
inline constexpr std::int32_t AFMT_S16_BE = 0x20;
inline constexpr std::int32_t AFMT_S8 = 0x40;
inline constexpr std::int32_t AFMT_U16_LE = 0x80;
inline constexpr std::int32_t AFMT_U16_BE = 0x100;
inline constexpr std::int32_t AFMT_MPEG = 0x200;
inline constexpr std::int32_t AFMT_AC3 = 0x400;
inline constexpr std::int32_t AFMT_VORBIS = 0x800;
inline constexpr std::int32_t AFMT_S32_LE = 0x1000;
inline constexpr std::int32_t AFMT_S32_BE = 0x2000;
inline constexpr std::int32_t AFMT_FLOAT = 0x4000;
inline constexpr std::int32_t AFMT_S24_LE = 0x8000;
inline constexpr std::int32_t AFMT_S24_BE = 0x10000;
inline constexpr std::int32_t AFMT_SPDIF_RAW = 0x20000;
inline constexpr std::int32_t AFMT_S24_PACKED = 0x40000;
inline constexpr std::int32_t AFMT_S16_NE = kLittleEndian ? AFMT_S16_LE : AFMT_S16_BE;
inline constexpr std::int32_t AFMT_S16_OE = kLittleEndian ? AFMT_S16_BE : AFMT_S16_LE;
inline constexpr std::int32_t AFMT_S24_NE = kLittleEndian ? AFMT_S24_LE : AFMT_S24_BE;
inline constexpr std::int32_t AFMT_S24_OE = kLittleEndian ? AFMT_S24_BE : AFMT_S24_LE;
inline constexpr std::int32_t AFMT_S32_NE = kLittleEndian ? AFMT_S32_LE : AFMT_S32_BE;
inline constexpr std::int32_t AFMT_S32_OE = kLittleEndian ? AFMT_S32_BE : AFMT_S32_LE;
inline constexpr std::int32_t AFMT_U16_NE = kLittleEndian ? AFMT_U16_LE : AFMT_U16_BE;

// What an audio device can do: SNDCTL_DSP_GETCAPS and oss_audioinfo.caps.
inline constexpr std::int32_t PCM_CAP_SHADOW = 0x0;
inline constexpr std::int32_t PCM_CAP_REVISION = 0xff;
inline constexpr std::int32_t PCM_CAP_DUPLEX = 0x100;
inline constexpr std::int32_t PCM_CAP_REALTIME = 0x200;
inline constexpr std::int32_t PCM_CAP_BATCH = 0x400;
inline constexpr std::int32_t PCM_CAP_COPROC = 0x800;
inline constexpr std::int32_t PCM_CAP_TRIGGER = 0x1000;
inline constexpr std::int32_t PCM_CAP_MMAP = 0x2000;
inline constexpr std::int32_t PCM_CAP_MULTI = 0x4000;
inline constexpr std::int32_t PCM_CAP_BIND = 0x8000;
inline constexpr std::int32_t PCM_CAP_INPUT = 0x10000;
inline constexpr std::int32_t PCM_CAP_OUTPUT = 0x20000;
inline constexpr std::int32_t PCM_CAP_VIRTUAL = 0x40000;
inline constexpr std::int32_t PCM_CAP_ANALOGOUT = 0x100000;
inline constexpr std::int32_t PCM_CAP_ANALOGIN = 0x200000;
inline constexpr std::int32_t PCM_CAP_DIGITALOUT = 0x400000;
inline constexpr std::int32_t PCM_CAP_DIGITALIN = 0x800000;
inline constexpr std::int32_t PCM_CAP_ADMASK = 0xf00000;
inline constexpr std::int32_t PCM_CAP_SPECIAL = 0x1000000;
inline constexpr std::int32_t PCM_CAP_HIDDEN = 0x8000000;
inline constexpr std::int32_t PCM_CAP_FREERATE = 0x10000000;
inline constexpr std::int32_t PCM_CAP_MODEM = 0x20000000;
inline constexpr std::int32_t PCM_CAP_DEFAULT = 0x40000000;
inline constexpr std::int32_t DSP_CH_ANY = 0x0;
inline constexpr std::int32_t DSP_CH_MONO = 0x2000000;
inline constexpr std::int32_t DSP_CH_STEREO = 0x4000000;
inline constexpr std::int32_t DSP_CH_MASK = 0x6000000;
inline constexpr std::int32_t DSP_CH_MULTI = 0x6000000;

// The same under their older names.
inline constexpr std::int32_t DSP_CAP_SHADOW = PCM_CAP_SHADOW;
inline constexpr std::int32_t DSP_CAP_REVISION = PCM_CAP_REVISION;
inline constexpr std::int32_t DSP_CAP_DUPLEX = PCM_CAP_DUPLEX;
inline constexpr std::int32_t DSP_CAP_REALTIME = PCM_CAP_REALTIME;
inline constexpr std::int32_t DSP_CAP_BATCH = PCM_CAP_BATCH;
inline constexpr std::int32_t DSP_CAP_COPROC = PCM_CAP_COPROC;
inline constexpr std::int32_t DSP_CAP_TRIGGER = PCM_CAP_TRIGGER;
inline constexpr std::int32_t DSP_CAP_MMAP = PCM_CAP_MMAP;
inline constexpr std::int32_t DSP_CAP_MULTI = PCM_CAP_MULTI;
inline constexpr std::int32_t DSP_CAP_BIND = PCM_CAP_BIND;
inline constexpr std::int32_t DSP_CAP_INPUT = PCM_CAP_INPUT;
inline constexpr std::int32_t DSP_CAP_OUTPUT = PCM_CAP_OUTPUT;
inline constexpr std::int32_t DSP_CAP_VIRTUAL = PCM_CAP_VIRTUAL;
inline constexpr std::int32_t DSP_CAP_ANALOGOUT = PCM_CAP_ANALOGOUT;
inline constexpr std::int32_t DSP_CAP_ANALOGIN = PCM_CAP_ANALOGIN;
inline constexpr std::int32_t DSP_CAP_DIGITALOUT = PCM_CAP_DIGITALOUT;
inline constexpr std::int32_t DSP_CAP_DIGITALIN = PCM_CAP_DIGITALIN;
inline constexpr std::int32_t DSP_CAP_ADMASK = PCM_CAP_ADMASK;
inline constexpr std::int32_t DSP_CAP_HIDDEN = PCM_CAP_HIDDEN;
inline constexpr std::int32_t DSP_CAP_FREERATE = PCM_CAP_FREERATE;
inline constexpr std::int32_t DSP_CAP_MODEM = PCM_CAP_MODEM;
inline constexpr std::int32_t DSP_CAP_DEFAULT = PCM_CAP_DEFAULT;

// Directions: SNDCTL_DSP_SETTRIGGER, and what a device is open for.
inline constexpr std::int32_t PCM_ENABLE_INPUT = 0x1;
inline constexpr std::int32_t PCM_ENABLE_OUTPUT = 0x2;
inline constexpr std::int32_t OSS_OPEN_READ = 0x1;
inline constexpr std::int32_t OSS_OPEN_WRITE = 0x2;
inline constexpr std::int32_t OSS_OPEN_READWRITE = 0x3;
inline constexpr std::int32_t OPEN_READ = OSS_OPEN_READ;
inline constexpr std::int32_t OPEN_WRITE = OSS_OPEN_WRITE;
inline constexpr std::int32_t OPEN_READWRITE = OSS_OPEN_READWRITE;

// Hints of SNDCTL_DSP_PROFILE.
inline constexpr std::int32_t APF_NORMAL = 0x0;
inline constexpr std::int32_t APF_NETWORK = 0x1;
inline constexpr std::int32_t APF_CPUINTENS = 0x2;

// Speakers of SNDCTL_DSP_BIND_CHANNEL.
inline constexpr std::int32_t DSP_BIND_QUERY = 0x0;
inline constexpr std::int32_t DSP_BIND_FRONT = 0x1;
inline constexpr std::int32_t DSP_BIND_SURR = 0x2;
inline constexpr std::int32_t DSP_BIND_CENTER_LFE = 0x4;
inline constexpr std::int32_t DSP_BIND_HANDSET = 0x8;
inline constexpr std::int32_t DSP_BIND_MIC = 0x10;
inline constexpr std::int32_t DSP_BIND_MODEM1 = 0x20;
inline constexpr std::int32_t DSP_BIND_MODEM2 = 0x40;
inline constexpr std::int32_t DSP_BIND_I2S = 0x80;
inline constexpr std::int32_t DSP_BIND_SPDIF = 0x100;
inline constexpr std::int32_t DSP_BIND_REAR = 0x200;

// Speakers of SNDCTL_DSP_GET_CHNORDER: one per nibble, the first channel lowest.
inline constexpr std::int32_t CHID_UNDEF = 0;
inline constexpr std::int32_t CHID_L = 1;
inline constexpr std::int32_t CHID_R = 2;
inline constexpr std::int32_t CHID_C = 3;
inline constexpr std::int32_t CHID_LFE = 4;
inline constexpr std::int32_t CHID_LS = 5;
inline constexpr std::int32_t CHID_RS = 6;
inline constexpr std::int32_t CHID_LR = 7;
inline constexpr std::int32_t CHID_RR = 8;
inline constexpr std::uint64_t CHNORDER_UNDEF = 0x0;
inline constexpr std::uint64_t CHNORDER_NORMAL = 0x87654321;

// Mixer extension controls: kinds, flags, scopes, colours.
inline constexpr std::int32_t MIXT_DEVROOT = 0;
inline constexpr std::int32_t MIXT_GROUP = 1;
inline constexpr std::int32_t MIXT_ONOFF = 2;
inline constexpr std::int32_t MIXT_ENUM = 3;
inline constexpr std::int32_t MIXT_MONOSLIDER = 4;
inline constexpr std::int32_t MIXT_STEREOSLIDER = 5;
inline constexpr std::int32_t MIXT_MESSAGE = 6;
inline constexpr std::int32_t MIXT_MONOVU = 7;
inline constexpr std::int32_t MIXT_STEREOVU = 8;
inline constexpr std::int32_t MIXT_MONOPEAK = 9;
inline constexpr std::int32_t MIXT_STEREOPEAK = 10;
inline constexpr std::int32_t MIXT_RADIOGROUP = 11;
inline constexpr std::int32_t MIXT_MARKER = 12;
inline constexpr std::int32_t MIXT_VALUE = 13;
inline constexpr std::int32_t MIXT_HEXVALUE = 14;
inline constexpr std::int32_t MIXT_MONODB = 15;
inline constexpr std::int32_t MIXT_STEREODB = 16;
inline constexpr std::int32_t MIXT_SLIDER = 17;
inline constexpr std::int32_t MIXT_3D = 18;
inline constexpr std::int32_t MIXT_MONOSLIDER16 = 19;
inline constexpr std::int32_t MIXT_STEREOSLIDER16 = 20;
inline constexpr std::int32_t MIXT_MUTE = 21;
inline constexpr std::int32_t MIXT_ENUM_MULTI = 22;
inline constexpr std::int32_t MIXF_READABLE = 0x1;
inline constexpr std::int32_t MIXF_WRITEABLE = 0x2;
inline constexpr std::int32_t MIXF_POLL = 0x4;
inline constexpr std::int32_t MIXF_HZ = 0x8;
inline constexpr std::int32_t MIXF_DYNAMIC = 0x10;
inline constexpr std::int32_t MIXF_STRING = 0x10;
inline constexpr std::int32_t MIXF_OKFAIL = 0x20;
inline constexpr std::int32_t MIXF_FLAT = 0x40;
inline constexpr std::int32_t MIXF_LEGACY = 0x80;
inline constexpr std::int32_t MIXF_CENTIBEL = 0x100;
inline constexpr std::int32_t MIXF_DECIBEL = 0x200;
inline constexpr std::int32_t MIXF_MAINVOL = 0x400;
inline constexpr std::int32_t MIXF_PCMVOL = 0x800;
inline constexpr std::int32_t MIXF_RECVOL = 0x1000;
inline constexpr std::int32_t MIXF_MONVOL = 0x2000;
inline constexpr std::int32_t MIXF_WIDE = 0x4000;
inline constexpr std::int32_t MIXF_DESCR = 0x8000;
inline constexpr std::int32_t MIXF_DISABLED = 0x10000;
inline constexpr std::int32_t MIXEXT_SCOPE_OTHER = 0x0;
inline constexpr std::int32_t MIXEXT_SCOPE_INPUT = 0x1;
inline constexpr std::int32_t MIXEXT_SCOPE_OUTPUT = 0x2;
inline constexpr std::int32_t MIXEXT_SCOPE_MONITOR = 0x3;
inline constexpr std::int32_t MIXEXT_SCOPE_RECSWITCH = 0x4;
inline constexpr std::int32_t MIXEXT_SCOPE_MASK = 0x3f;
inline constexpr std::int32_t MIXER_CAP_VIRTUAL = 0x1;
inline constexpr std::int32_t MIXER_CAP_LAYOUT_B = 0x2;
inline constexpr std::int32_t MIXER_CAP_NARROW = 0x4;
inline constexpr std::int32_t OSS_RGB_BLACK = 0x2b2926;
inline constexpr std::int32_t OSS_RGB_BLUE = 0x7aabde;
inline constexpr std::int32_t OSS_RGB_PURPLE = 0x800080;
inline constexpr std::int32_t OSS_RGB_GREEN = 0xb3c98c;
inline constexpr std::int32_t OSS_RGB_GRAY = 0xd1ccc4;
inline constexpr std::int32_t OSS_RGB_PINK = 0xe88c99;
inline constexpr std::int32_t OSS_RGB_ORANGE = 0xe89e47;
inline constexpr std::int32_t OSS_RGB_WHITE = 0xf8f8ff;
inline constexpr std::int32_t OSS_RGB_RED = 0xff0000;
inline constexpr std::int32_t OSS_RGB_YELLOW = 0xffff00;

// Channels of the OSS 3 mixer, lists a program can ask for, and one
// SOUND_MASK_ bit for each channel.
inline constexpr std::int32_t SOUND_MIXER_VOLUME = 0;
inline constexpr std::int32_t SOUND_MIXER_BASS = 1;
inline constexpr std::int32_t SOUND_MIXER_TREBLE = 2;
inline constexpr std::int32_t SOUND_MIXER_SYNTH = 3;
inline constexpr std::int32_t SOUND_MIXER_PCM = 4;
inline constexpr std::int32_t SOUND_MIXER_SPEAKER = 5;
inline constexpr std::int32_t SOUND_MIXER_LINE = 6;
inline constexpr std::int32_t SOUND_MIXER_MIC = 7;
inline constexpr std::int32_t SOUND_MIXER_CD = 8;
inline constexpr std::int32_t SOUND_MIXER_IMIX = 9;
inline constexpr std::int32_t SOUND_MIXER_ALTPCM = 10;
inline constexpr std::int32_t SOUND_MIXER_RECLEV = 11;
inline constexpr std::int32_t SOUND_MIXER_IGAIN = 12;
inline constexpr std::int32_t SOUND_MIXER_OGAIN = 13;
inline constexpr std::int32_t SOUND_MIXER_LINE1 = 14;
inline constexpr std::int32_t SOUND_MIXER_LINE2 = 15;
inline constexpr std::int32_t SOUND_MIXER_LINE3 = 16;
inline constexpr std::int32_t SOUND_MIXER_DIGITAL1 = 17;
inline constexpr std::int32_t SOUND_MIXER_DIGITAL2 = 18;
inline constexpr std::int32_t SOUND_MIXER_DIGITAL3 = 19;
inline constexpr std::int32_t SOUND_MIXER_PHONE = 20;
inline constexpr std::int32_t SOUND_MIXER_MONO = 21;
inline constexpr std::int32_t SOUND_MIXER_VIDEO = 22;
inline constexpr std::int32_t SOUND_MIXER_RADIO = 23;
inline constexpr std::int32_t SOUND_MIXER_DEPTH = 24;
inline constexpr std::int32_t SOUND_MIXER_REARVOL = 25;
inline constexpr std::int32_t SOUND_MIXER_CENTERVOL = 26;
inline constexpr std::int32_t SOUND_MIXER_SIDEVOL = 27;
inline constexpr std::int32_t SOUND_MIXER_SURRVOL = 27;
inline constexpr std::int32_t SOUND_MIXER_NRDEVICES = 28;
inline constexpr std::int32_t SOUND_MIXER_ENHANCE = 31;
inline constexpr std::int32_t SOUND_MIXER_LOUD = 31;
inline constexpr std::int32_t SOUND_MIXER_MUTE = 31;
inline constexpr std::int32_t SOUND_MIXER_NONE = 31;
inline constexpr std::int32_t SOUND_MIXER_OUTMASK = 249;
inline constexpr std::int32_t SOUND_MIXER_OUTSRC = 250;
inline constexpr std::int32_t SOUND_MIXER_STEREODEVS = 251;
inline constexpr std::int32_t SOUND_MIXER_CAPS = 252;
inline constexpr std::int32_t SOUND_MIXER_RECMASK = 253;
inline constexpr std::int32_t SOUND_MIXER_DEVMASK = 254;
inline constexpr std::int32_t SOUND_MIXER_RECSRC = 255;
inline constexpr std::int32_t SOUND_ONOFF_MIN = 28;
inline constexpr std::int32_t SOUND_ONOFF_MAX = 30;

inline constexpr std::uint32_t SOUND_MASK_VOLUME = 1U << SOUND_MIXER_VOLUME;
inline constexpr std::uint32_t SOUND_MASK_BASS = 1U << SOUND_MIXER_BASS;
inline constexpr std::uint32_t SOUND_MASK_TREBLE = 1U << SOUND_MIXER_TREBLE;
inline constexpr std::uint32_t SOUND_MASK_SYNTH = 1U << SOUND_MIXER_SYNTH;
inline constexpr std::uint32_t SOUND_MASK_PCM = 1U << SOUND_MIXER_PCM;
inline constexpr std::uint32_t SOUND_MASK_SPEAKER = 1U << SOUND_MIXER_SPEAKER;
inline constexpr std::uint32_t SOUND_MASK_LINE = 1U << SOUND_MIXER_LINE;
inline constexpr std::uint32_t SOUND_MASK_MIC = 1U << SOUND_MIXER_MIC;
inline constexpr std::uint32_t SOUND_MASK_CD = 1U << SOUND_MIXER_CD;
inline constexpr std::uint32_t SOUND_MASK_IMIX = 1U << SOUND_MIXER_IMIX;
inline constexpr std::uint32_t SOUND_MASK_ALTPCM = 1U << SOUND_MIXER_ALTPCM;
inline constexpr std::uint32_t SOUND_MASK_RECLEV = 1U << SOUND_MIXER_RECLEV;
inline constexpr std::uint32_t SOUND_MASK_IGAIN = 1U << SOUND_MIXER_IGAIN;
inline constexpr std::uint32_t SOUND_MASK_OGAIN = 1U << SOUND_MIXER_OGAIN;
inline constexpr std::uint32_t SOUND_MASK_LINE1 = 1U << SOUND_MIXER_LINE1;
inline constexpr std::uint32_t SOUND_MASK_LINE2 = 1U << SOUND_MIXER_LINE2;
inline constexpr std::uint32_t SOUND_MASK_LINE3 = 1U << SOUND_MIXER_LINE3;
inline constexpr std::uint32_t SOUND_MASK_DIGITAL1 = 1U << SOUND_MIXER_DIGITAL1;
inline constexpr std::uint32_t SOUND_MASK_DIGITAL2 = 1U << SOUND_MIXER_DIGITAL2;
inline constexpr std::uint32_t SOUND_MASK_DIGITAL3 = 1U << SOUND_MIXER_DIGITAL3;
inline constexpr std::uint32_t SOUND_MASK_PHONE = 1U << SOUND_MIXER_PHONE;
inline constexpr std::uint32_t SOUND_MASK_MONO = 1U << SOUND_MIXER_MONO;
inline constexpr std::uint32_t SOUND_MASK_VIDEO = 1U << SOUND_MIXER_VIDEO;
inline constexpr std::uint32_t SOUND_MASK_RADIO = 1U << SOUND_MIXER_RADIO;
inline constexpr std::uint32_t SOUND_MASK_DEPTH = 1U << SOUND_MIXER_DEPTH;
inline constexpr std::uint32_t SOUND_MASK_REARVOL = 1U << SOUND_MIXER_REARVOL;
inline constexpr std::uint32_t SOUND_MASK_CENTERVOL = 1U << SOUND_MIXER_CENTERVOL;
inline constexpr std::uint32_t SOUND_MASK_SIDEVOL = 1U << SOUND_MIXER_SIDEVOL;
inline constexpr std::uint32_t SOUND_MASK_SURRVOL = 1U << SOUND_MIXER_SURRVOL;
inline constexpr std::uint32_t SOUND_MASK_ENHANCE = 1U << SOUND_MIXER_ENHANCE;
inline constexpr std::uint32_t SOUND_MASK_LOUD = 1U << SOUND_MIXER_LOUD;
inline constexpr std::uint32_t SOUND_MASK_MUTE = 1U << SOUND_MIXER_MUTE;

// SOUND_MIXER_READ_CAPS: one recording source at a time.
inline constexpr std::int32_t SOUND_CAP_EXCL_INPUT = 0x1;

// Room or data in a buffer: SNDCTL_DSP_GETOSPACE, SNDCTL_DSP_GETISPACE.
struct audio_buf_info {
  std::int32_t fragments;
  std::int32_t fragstotal;
  std::int32_t fragsize;
  std::int32_t bytes;
};

// Position in bytes: SNDCTL_DSP_GETOPTR, SNDCTL_DSP_GETIPTR.
struct count_info {
  std::uint32_t bytes;
  std::int32_t blocks;
  std::int32_t ptr;
};

// Xruns and the last errors since the previous call: SNDCTL_DSP_GETERROR.
struct audio_errinfo {
  std::int32_t play_underruns;
  std::int32_t rec_overruns;
  std::uint32_t play_ptradjust;
  std::uint32_t rec_ptradjust;
  std::int32_t play_errorcount;
  std::int32_t rec_errorcount;
  std::int32_t play_lasterror;
  std::int32_t rec_lasterror;
  std::int32_t play_errorparm;
  std::int32_t rec_errorparm;
  std::int32_t filler[16];
};

// Digital (S/PDIF) receiver and transmitter: SNDCTL_DSP_READCTL.
struct oss_digital_control {
  std::uint32_t caps;
  std::uint32_t valid;
  std::uint32_t request;
  std::uint32_t param;
  std::uint8_t cbitin[24];
  std::uint8_t ubitin[24];
  std::uint8_t cbitout[24];
  std::uint8_t ubitout[24];
  std::uint32_t outsel;
  std::int32_t in_data;
  std::int32_t in_locked;
  std::int32_t in_quality;
  std::int32_t in_vbit;
  std::int32_t out_vbit;
  std::uint32_t in_errors;
  std::int32_t srate_in;
  std::int32_t srate_out;
  std::int32_t bits_in;
  std::int32_t bits_out;
  std::int32_t filler[32];
};

// Devices that start together: SNDCTL_DSP_SYNCGROUP.
struct oss_syncgroup {
  std::int32_t id;
  std::int32_t mode;
  std::int32_t filler[16];
};

// Position in samples: SNDCTL_DSP_CURRENT_OPTR, SNDCTL_DSP_CURRENT_IPTR. An ABI
// that aligns 64-bit integers to 4 bytes has no padding at the end.
struct oss_count_t {
  std::int64_t samples;
  std::int32_t fifo_samples;
  std::int32_t filler[32];
};

// Ours, for the plugin of ALSA (alsa/): OSSLOOP_DSP_LOOK tells at one moment where a stream is,
// and when it will have `wanted` frames of room, or of sound.
struct ossloop_look {
  std::int64_t wanted;     // asked: frames; while playing, so many may still be queued
  std::int64_t queued;     // frames written and not yet played, or recorded and not yet read
  std::int64_t delay;      // the same with what a filter of the reader holds
  std::int64_t at_ns;      // when to look for them, by CLOCK_MONOTONIC; 0: they are there
  std::int64_t lost;       // grows with each underrun, or with each frame that was not fetched
  std::int32_t direction;  // asked: PCM_ENABLE_INPUT or PCM_ENABLE_OUTPUT
  std::int32_t tells;      // 1: the next read or write tells an end or an error
};

// Ours too: OSSLOOP_DSP_BUFFER chooses fragments and a buffer of any number of frames, and gives
// what became of it. What plays may have more than `buffer_ms`.
struct ossloop_buffer {
  std::int32_t fragment_frames;
  std::int32_t buffer_frames;
};

// SNDCTL_SYSINFO.
struct oss_sysinfo {
  char product[32];
  char version[32];
  std::int32_t versionnum;
  char options[128];
  std::int32_t numaudios;
  std::int32_t openedaudio[8];
  std::int32_t numsynths;
  std::int32_t nummidis;
  std::int32_t numtimers;
  std::int32_t nummixers;
  std::int32_t openedmidi[8];
  std::int32_t numcards;
  std::int32_t numaudioengines;
  char license[16];
  char revision_info[256];
  std::int32_t filler[172];
};

// One control of a mixer: SNDCTL_MIX_EXTINFO.
struct oss_mixext {
  std::int32_t dev;
  std::int32_t ctrl;
  std::int32_t type;
  std::int32_t maxvalue;
  std::int32_t minvalue;
  std::int32_t flags;
  char id[OSS_ID_SIZE];
  std::int32_t parent;
  std::int32_t dummy;
  std::int32_t timestamp;
  char data[64];
  std::uint8_t enum_present[32];
  std::int32_t control_no;
  std::uint32_t desc;
  char extname[32];
  std::int32_t update_counter;
  std::int32_t rgbcolor;
  std::int32_t filler[6];
};

// oss_mixext.data of the control of type MIXT_DEVROOT.
struct oss_mixext_root {
  char id[OSS_ID_SIZE];
  char name[48];
};

// SNDCTL_MIX_READ, SNDCTL_MIX_WRITE.
struct oss_mixer_value {
  std::int32_t dev;
  std::int32_t ctrl;
  std::int32_t value;
  std::int32_t flags;
  std::int32_t timestamp;
  std::int32_t filler[8];
};

// A list of names in one block of text: SNDCTL_MIX_ENUMINFO and others.
struct oss_mixer_enuminfo {
  std::int32_t dev;
  std::int32_t ctrl;
  std::int32_t nvalues;
  std::int32_t version;
  std::int16_t strindex[OSS_ENUM_MAXVALUE];
  char strings[OSS_ENUM_STRINGSIZE];
};

// SNDCTL_AUDIOINFO, SNDCTL_ENGINEINFO.
struct oss_audioinfo {
  std::int32_t dev;
  char name[OSS_DEVNAME_SIZE];
  std::int32_t busy;
  std::int32_t pid;
  std::int32_t caps;
  std::int32_t iformats;
  std::int32_t oformats;
  std::int32_t magic;
  char cmd[OSS_CMD_SIZE];
  std::int32_t card_number;
  std::int32_t port_number;
  std::int32_t mixer_dev;
  std::int32_t legacy_device;
  std::int32_t enabled;
  std::int32_t flags;
  std::int32_t min_rate;
  std::int32_t max_rate;
  std::int32_t min_channels;
  std::int32_t max_channels;
  std::int32_t binding;
  std::int32_t rate_source;
  char handle[OSS_HANDLE_SIZE];
  std::uint32_t nrates;
  std::uint32_t rates[OSS_MAX_SAMPLE_RATES];
  char song_name[OSS_LONGNAME_SIZE];
  char label[OSS_LABEL_SIZE];
  std::int32_t latency;
  char devnode[OSS_DEVNODE_SIZE];
  std::int32_t next_play_engine;
  std::int32_t next_rec_engine;
  std::int32_t filler[184];
};

// SNDCTL_MIXERINFO.
struct oss_mixerinfo {
  std::int32_t dev;
  char id[OSS_ID_SIZE];
  char name[32];
  std::int32_t modify_counter;
  std::int32_t card_number;
  std::int32_t port_number;
  char handle[OSS_HANDLE_SIZE];
  std::int32_t magic;
  std::int32_t enabled;
  std::int32_t caps;
  std::int32_t flags;
  std::int32_t nrext;
  std::int32_t priority;
  char devnode[OSS_DEVNODE_SIZE];
  std::int32_t legacy_device;
  std::int32_t filler[245];
};

// SNDCTL_CARDINFO.
struct oss_card_info {
  std::int32_t card;
  char shortname[16];
  char longname[128];
  std::int32_t flags;
  char hw_info[400];
  std::int32_t intr_count;
  std::int32_t ack_count;
  std::int32_t filler[154];
};

// SOUND_MIXER_INFO, the OSS 3 mixer.
struct mixer_info {
  char id[16];
  char name[32];
  std::int32_t modify_counter;
  std::int32_t fillers[10];
};

// SOUND_MIXER_GETLEVELS, SOUND_MIXER_SETLEVELS.
struct mixer_vol_table {
  std::int32_t num;
  char name[32];
  std::int32_t levels[32];
};

// The one structure with a pointer, so its size depends on the ABI.
struct buffmem_desc {
  std::uint32_t* buffer;
  std::int32_t size;
};

// A request code: direction in the two top bits, then the size of the argument,
// a letter for the family and a number. This is the layout of x86 and ARM.
// "read" and "write" are as the program sees them.
enum class RequestDirection : std::uint32_t { kPlain = 0, kWrite = 1, kRead = 2, kBoth = 3 };

consteval std::uint32_t make_request(RequestDirection direction, char family, std::uint32_t number,
                                     std::size_t argument_bytes) {
  return static_cast<std::uint32_t>(direction) << 30 |
         static_cast<std::uint32_t>(argument_bytes) << 16 |
         static_cast<std::uint32_t>(family) << 8 | number;
}

consteval std::uint32_t request_plain(char family, std::uint32_t number) {
  return make_request(RequestDirection::kPlain, family, number, 0);
}

template <typename Argument>
consteval std::uint32_t request_write(char family, std::uint32_t number) {
  static_assert(sizeof(Argument) < 1U << 14);
  return make_request(RequestDirection::kWrite, family, number, sizeof(Argument));
}

template <typename Argument>
consteval std::uint32_t request_read(char family, std::uint32_t number) {
  static_assert(sizeof(Argument) < 1U << 14);
  return make_request(RequestDirection::kRead, family, number, sizeof(Argument));
}

template <typename Argument>
consteval std::uint32_t request_both(char family, std::uint32_t number) {
  static_assert(sizeof(Argument) < 1U << 14);
  return make_request(RequestDirection::kBoth, family, number, sizeof(Argument));
}

constexpr RequestDirection request_direction(std::uint32_t request) {
  return static_cast<RequestDirection>(request >> 30);
}
constexpr std::size_t request_argument_bytes(std::uint32_t request) {
  return request >> 16 & 0x3fffU;
}
constexpr char request_family(std::uint32_t request) {
  return static_cast<char>(request >> 8 & 0xffU);
}
constexpr std::uint32_t request_number(std::uint32_t request) { return request & 0xffU; }

// Requests of audio devices. Where two share a number, the direction tells
// them apart; everywhere else family and number are enough.
inline constexpr std::uint32_t SNDCTL_DSP_HALT = request_plain('P', 0);
inline constexpr std::uint32_t SNDCTL_DSP_RESET = SNDCTL_DSP_HALT;
inline constexpr std::uint32_t SNDCTL_DSP_SYNC = request_plain('P', 1);
inline constexpr std::uint32_t SNDCTL_DSP_SPEED = request_both<std::int32_t>('P', 2);
inline constexpr std::uint32_t SNDCTL_DSP_STEREO = request_both<std::int32_t>('P', 3);
inline constexpr std::uint32_t SNDCTL_DSP_GETBLKSIZE = request_both<std::int32_t>('P', 4);
inline constexpr std::uint32_t SNDCTL_DSP_SETFMT = request_both<std::int32_t>('P', 5);
inline constexpr std::uint32_t SNDCTL_DSP_SAMPLESIZE = SNDCTL_DSP_SETFMT;
inline constexpr std::uint32_t SNDCTL_DSP_CHANNELS = request_both<std::int32_t>('P', 6);
inline constexpr std::uint32_t SNDCTL_DSP_POST = request_plain('P', 8);
inline constexpr std::uint32_t SNDCTL_DSP_SUBDIVIDE = request_both<std::int32_t>('P', 9);
inline constexpr std::uint32_t SNDCTL_DSP_SETFRAGMENT = request_both<std::int32_t>('P', 10);
inline constexpr std::uint32_t SNDCTL_DSP_GETFMTS = request_read<std::int32_t>('P', 11);
inline constexpr std::uint32_t SNDCTL_DSP_GETOSPACE = request_read<audio_buf_info>('P', 12);
inline constexpr std::uint32_t SNDCTL_DSP_GETISPACE = request_read<audio_buf_info>('P', 13);
inline constexpr std::uint32_t SNDCTL_DSP_NONBLOCK = request_plain('P', 14);
inline constexpr std::uint32_t SNDCTL_DSP_GETCAPS = request_read<std::int32_t>('P', 15);
inline constexpr std::uint32_t SNDCTL_DSP_GETTRIGGER = request_read<std::int32_t>('P', 16);
inline constexpr std::uint32_t SNDCTL_DSP_SETTRIGGER = request_write<std::int32_t>('P', 16);
inline constexpr std::uint32_t SNDCTL_DSP_GETIPTR = request_read<count_info>('P', 17);
inline constexpr std::uint32_t SNDCTL_DSP_GETOPTR = request_read<count_info>('P', 18);
inline constexpr std::uint32_t SNDCTL_DSP_SETSYNCRO = request_plain('P', 21);
inline constexpr std::uint32_t SNDCTL_DSP_SETDUPLEX = request_plain('P', 22);
inline constexpr std::uint32_t SNDCTL_DSP_GETODELAY = request_read<std::int32_t>('P', 23);
inline constexpr std::uint32_t SNDCTL_DSP_PROFILE = request_write<std::int32_t>('P', 23);
inline constexpr std::uint32_t SNDCTL_DSP_GETPLAYVOL = request_read<std::int32_t>('P', 24);
inline constexpr std::uint32_t SNDCTL_DSP_SETPLAYVOL = request_both<std::int32_t>('P', 24);
inline constexpr std::uint32_t SNDCTL_DSP_GETERROR = request_read<audio_errinfo>('P', 25);
inline constexpr std::uint32_t SNDCTL_DSP_READCTL = request_both<oss_digital_control>('P', 26);
inline constexpr std::uint32_t SNDCTL_DSP_WRITECTL = request_both<oss_digital_control>('P', 27);
inline constexpr std::uint32_t SNDCTL_DSP_SYNCGROUP = request_both<oss_syncgroup>('P', 28);
inline constexpr std::uint32_t SNDCTL_DSP_SYNCSTART = request_write<std::int32_t>('P', 29);
inline constexpr std::uint32_t SNDCTL_DSP_COOKEDMODE = request_write<std::int32_t>('P', 30);
inline constexpr std::uint32_t SNDCTL_DSP_SILENCE = request_plain('P', 31);
inline constexpr std::uint32_t SNDCTL_DSP_SKIP = request_plain('P', 32);
inline constexpr std::uint32_t SNDCTL_DSP_HALT_INPUT = request_plain('P', 33);
inline constexpr std::uint32_t SNDCTL_DSP_RESET_INPUT = SNDCTL_DSP_HALT_INPUT;
inline constexpr std::uint32_t SNDCTL_DSP_HALT_OUTPUT = request_plain('P', 34);
inline constexpr std::uint32_t SNDCTL_DSP_LOW_WATER = request_write<std::int32_t>('P', 34);
inline constexpr std::uint32_t SNDCTL_DSP_RESET_OUTPUT = SNDCTL_DSP_HALT_OUTPUT;
inline constexpr std::uint32_t SNDCTL_DSP_CURRENT_IPTR = request_read<oss_count_t>('P', 35);
inline constexpr std::uint32_t SNDCTL_DSP_CURRENT_OPTR = request_read<oss_count_t>('P', 36);
inline constexpr std::uint32_t SNDCTL_DSP_GET_RECSRC_NAMES =
    request_read<oss_mixer_enuminfo>('P', 37);
inline constexpr std::uint32_t SNDCTL_DSP_GET_RECSRC = request_read<std::int32_t>('P', 38);
inline constexpr std::uint32_t SNDCTL_DSP_SET_RECSRC = request_both<std::int32_t>('P', 38);
inline constexpr std::uint32_t SNDCTL_DSP_GET_PLAYTGT_NAMES =
    request_read<oss_mixer_enuminfo>('P', 39);
inline constexpr std::uint32_t SNDCTL_DSP_GET_PLAYTGT = request_read<std::int32_t>('P', 40);
inline constexpr std::uint32_t SNDCTL_DSP_SET_PLAYTGT = request_both<std::int32_t>('P', 40);
inline constexpr std::uint32_t SNDCTL_DSP_GETRECVOL = request_read<std::int32_t>('P', 41);
inline constexpr std::uint32_t SNDCTL_DSP_SETRECVOL = request_both<std::int32_t>('P', 41);
inline constexpr std::uint32_t SNDCTL_DSP_GET_CHNORDER = request_read<std::uint64_t>('P', 42);
inline constexpr std::uint32_t SNDCTL_DSP_SET_CHNORDER = request_both<std::uint64_t>('P', 42);
inline constexpr std::uint32_t SNDCTL_DSP_GETIPEAKS = request_read<oss_peaks_t>('P', 43);
inline constexpr std::uint32_t SNDCTL_DSP_GETOPEAKS = request_read<oss_peaks_t>('P', 44);
inline constexpr std::uint32_t SNDCTL_DSP_POLICY = request_write<std::int32_t>('P', 45);
inline constexpr std::uint32_t SNDCTL_DSP_GETCHANNELMASK = request_both<std::int32_t>('P', 64);
inline constexpr std::uint32_t SNDCTL_DSP_BIND_CHANNEL = request_both<std::int32_t>('P', 65);
inline constexpr std::uint32_t SNDCTL_DSP_MODEM_OFFHOOK = request_both<std::int32_t>('P', 69);

// Ours.
inline constexpr std::uint32_t OSSLOOP_DSP_LOOK = request_both<ossloop_look>('P', 120);
inline constexpr std::uint32_t OSSLOOP_DSP_BUFFER = request_both<ossloop_buffer>('P', 121);
inline constexpr std::uint32_t OSSLOOP_DSP_PAUSE = request_write<std::int32_t>('P', 122);

// The same requests as OSS 3 called them, and those that it alone had.
inline constexpr std::uint32_t SOUND_PCM_READ_RATE = request_read<std::int32_t>('P', 2);
inline constexpr std::uint32_t SOUND_PCM_READ_BITS = request_read<std::int32_t>('P', 5);
inline constexpr std::uint32_t SOUND_PCM_READ_CHANNELS = request_read<std::int32_t>('P', 6);
inline constexpr std::uint32_t SOUND_PCM_READ_FILTER = request_read<std::int32_t>('P', 7);
inline constexpr std::uint32_t SOUND_PCM_WRITE_FILTER = request_both<std::int32_t>('P', 7);
inline constexpr std::uint32_t SNDCTL_DSP_MAPINBUF = request_read<buffmem_desc>('P', 19);
inline constexpr std::uint32_t SNDCTL_DSP_MAPOUTBUF = request_read<buffmem_desc>('P', 20);

// System information, and the mixer as OSS 4 sees it. The argument of the two
// matrix requests has no published structure, only a size.
inline constexpr std::uint32_t SNDCTL_SYSINFO = request_read<oss_sysinfo>('X', 1);
inline constexpr std::uint32_t OSS_SYSINFO = SNDCTL_SYSINFO;
inline constexpr std::uint32_t SNDCTL_MIX_NRMIX = request_read<std::int32_t>('X', 2);
inline constexpr std::uint32_t SNDCTL_MIX_NREXT = request_both<std::int32_t>('X', 3);
inline constexpr std::uint32_t SNDCTL_MIX_EXTINFO = request_both<oss_mixext>('X', 4);
inline constexpr std::uint32_t SNDCTL_MIX_READ = request_both<oss_mixer_value>('X', 5);
inline constexpr std::uint32_t SNDCTL_MIX_WRITE = request_both<oss_mixer_value>('X', 6);
inline constexpr std::uint32_t SNDCTL_AUDIOINFO = request_both<oss_audioinfo>('X', 7);
inline constexpr std::uint32_t SNDCTL_MIX_ENUMINFO = request_both<oss_mixer_enuminfo>('X', 8);
inline constexpr std::uint32_t SNDCTL_MIXERINFO = request_both<oss_mixerinfo>('X', 10);
inline constexpr std::uint32_t SNDCTL_CARDINFO = request_both<oss_card_info>('X', 11);
inline constexpr std::uint32_t SNDCTL_ENGINEINFO = request_both<oss_audioinfo>('X', 12);
inline constexpr std::uint32_t SNDCTL_AUDIOINFO_EX = request_both<oss_audioinfo>('X', 13);
inline constexpr std::uint32_t SNDCTL_MIX_DESCRIPTION = request_both<oss_mixer_enuminfo>('X', 14);
inline constexpr std::uint32_t SNDCTL_MIX_MATRIX_WRITE = request_both<std::uint8_t[84]>('X', 15);
inline constexpr std::uint32_t SNDCTL_MIX_MATRIX_READ = request_both<std::uint8_t[84]>('X', 16);

// Names a program gives itself.
inline constexpr std::uint32_t SNDCTL_GETSONG = request_read<oss_longname_t>('Y', 2);
inline constexpr std::uint32_t SNDCTL_SETSONG = request_write<oss_longname_t>('Y', 2);
inline constexpr std::uint32_t SNDCTL_SETNAME = request_write<oss_longname_t>('Y', 3);
inline constexpr std::uint32_t SNDCTL_GETLABEL = request_read<oss_label_t>('Y', 4);
inline constexpr std::uint32_t SNDCTL_SETLABEL = request_write<oss_label_t>('Y', 4);

// Requests of the OSS 3 mixer.
inline constexpr std::uint32_t SOUND_MIXER_READ_VOLUME =
    request_read<std::int32_t>('M', SOUND_MIXER_VOLUME);
inline constexpr std::uint32_t SOUND_MIXER_READ_BASS =
    request_read<std::int32_t>('M', SOUND_MIXER_BASS);
inline constexpr std::uint32_t SOUND_MIXER_READ_TREBLE =
    request_read<std::int32_t>('M', SOUND_MIXER_TREBLE);
inline constexpr std::uint32_t SOUND_MIXER_READ_SYNTH =
    request_read<std::int32_t>('M', SOUND_MIXER_SYNTH);
inline constexpr std::uint32_t SOUND_MIXER_READ_PCM =
    request_read<std::int32_t>('M', SOUND_MIXER_PCM);
inline constexpr std::uint32_t SOUND_MIXER_READ_SPEAKER =
    request_read<std::int32_t>('M', SOUND_MIXER_SPEAKER);
inline constexpr std::uint32_t SOUND_MIXER_READ_LINE =
    request_read<std::int32_t>('M', SOUND_MIXER_LINE);
inline constexpr std::uint32_t SOUND_MIXER_READ_MIC =
    request_read<std::int32_t>('M', SOUND_MIXER_MIC);
inline constexpr std::uint32_t SOUND_MIXER_READ_CD =
    request_read<std::int32_t>('M', SOUND_MIXER_CD);
inline constexpr std::uint32_t SOUND_MIXER_READ_IMIX =
    request_read<std::int32_t>('M', SOUND_MIXER_IMIX);
inline constexpr std::uint32_t SOUND_MIXER_READ_ALTPCM =
    request_read<std::int32_t>('M', SOUND_MIXER_ALTPCM);
inline constexpr std::uint32_t SOUND_MIXER_READ_RECLEV =
    request_read<std::int32_t>('M', SOUND_MIXER_RECLEV);
inline constexpr std::uint32_t SOUND_MIXER_READ_IGAIN =
    request_read<std::int32_t>('M', SOUND_MIXER_IGAIN);
inline constexpr std::uint32_t SOUND_MIXER_READ_OGAIN =
    request_read<std::int32_t>('M', SOUND_MIXER_OGAIN);
inline constexpr std::uint32_t SOUND_MIXER_READ_LINE1 =
    request_read<std::int32_t>('M', SOUND_MIXER_LINE1);
inline constexpr std::uint32_t SOUND_MIXER_READ_LINE2 =
    request_read<std::int32_t>('M', SOUND_MIXER_LINE2);
inline constexpr std::uint32_t SOUND_MIXER_READ_LINE3 =
    request_read<std::int32_t>('M', SOUND_MIXER_LINE3);
inline constexpr std::uint32_t SOUND_MIXER_READ_ENHANCE =
    request_read<std::int32_t>('M', SOUND_MIXER_ENHANCE);
inline constexpr std::uint32_t SOUND_MIXER_READ_LOUD =
    request_read<std::int32_t>('M', SOUND_MIXER_LOUD);
inline constexpr std::uint32_t SOUND_MIXER_READ_MUTE =
    request_read<std::int32_t>('M', SOUND_MIXER_MUTE);
inline constexpr std::uint32_t SOUND_MIXER_READ_MAINVOL = request_read<std::int32_t>('M', 116);
inline constexpr std::uint32_t SOUND_MIXER_READ_RECGAIN = request_read<std::int32_t>('M', 119);
inline constexpr std::uint32_t SOUND_MIXER_READ_MONGAIN = request_read<std::int32_t>('M', 120);
inline constexpr std::uint32_t SOUND_MIXER_READ_STEREODEVS =
    request_read<std::int32_t>('M', SOUND_MIXER_STEREODEVS);
inline constexpr std::uint32_t SOUND_MIXER_READ_CAPS =
    request_read<std::int32_t>('M', SOUND_MIXER_CAPS);
inline constexpr std::uint32_t SOUND_MIXER_READ_RECMASK =
    request_read<std::int32_t>('M', SOUND_MIXER_RECMASK);
inline constexpr std::uint32_t SOUND_MIXER_READ_DEVMASK =
    request_read<std::int32_t>('M', SOUND_MIXER_DEVMASK);
inline constexpr std::uint32_t SOUND_MIXER_READ_RECSRC =
    request_read<std::int32_t>('M', SOUND_MIXER_RECSRC);
inline constexpr std::uint32_t SOUND_MIXER_WRITE_VOLUME =
    request_both<std::int32_t>('M', SOUND_MIXER_VOLUME);
inline constexpr std::uint32_t SOUND_MIXER_WRITE_BASS =
    request_both<std::int32_t>('M', SOUND_MIXER_BASS);
inline constexpr std::uint32_t SOUND_MIXER_WRITE_TREBLE =
    request_both<std::int32_t>('M', SOUND_MIXER_TREBLE);
inline constexpr std::uint32_t SOUND_MIXER_WRITE_SYNTH =
    request_both<std::int32_t>('M', SOUND_MIXER_SYNTH);
inline constexpr std::uint32_t SOUND_MIXER_WRITE_PCM =
    request_both<std::int32_t>('M', SOUND_MIXER_PCM);
inline constexpr std::uint32_t SOUND_MIXER_WRITE_SPEAKER =
    request_both<std::int32_t>('M', SOUND_MIXER_SPEAKER);
inline constexpr std::uint32_t SOUND_MIXER_WRITE_LINE =
    request_both<std::int32_t>('M', SOUND_MIXER_LINE);
inline constexpr std::uint32_t SOUND_MIXER_WRITE_MIC =
    request_both<std::int32_t>('M', SOUND_MIXER_MIC);
inline constexpr std::uint32_t SOUND_MIXER_WRITE_CD =
    request_both<std::int32_t>('M', SOUND_MIXER_CD);
inline constexpr std::uint32_t SOUND_MIXER_WRITE_IMIX =
    request_both<std::int32_t>('M', SOUND_MIXER_IMIX);
inline constexpr std::uint32_t SOUND_MIXER_WRITE_ALTPCM =
    request_both<std::int32_t>('M', SOUND_MIXER_ALTPCM);
inline constexpr std::uint32_t SOUND_MIXER_WRITE_RECLEV =
    request_both<std::int32_t>('M', SOUND_MIXER_RECLEV);
inline constexpr std::uint32_t SOUND_MIXER_WRITE_IGAIN =
    request_both<std::int32_t>('M', SOUND_MIXER_IGAIN);
inline constexpr std::uint32_t SOUND_MIXER_WRITE_OGAIN =
    request_both<std::int32_t>('M', SOUND_MIXER_OGAIN);
inline constexpr std::uint32_t SOUND_MIXER_WRITE_LINE1 =
    request_both<std::int32_t>('M', SOUND_MIXER_LINE1);
inline constexpr std::uint32_t SOUND_MIXER_WRITE_LINE2 =
    request_both<std::int32_t>('M', SOUND_MIXER_LINE2);
inline constexpr std::uint32_t SOUND_MIXER_WRITE_LINE3 =
    request_both<std::int32_t>('M', SOUND_MIXER_LINE3);
inline constexpr std::uint32_t SOUND_MIXER_WRITE_ENHANCE =
    request_both<std::int32_t>('M', SOUND_MIXER_ENHANCE);
inline constexpr std::uint32_t SOUND_MIXER_WRITE_LOUD =
    request_both<std::int32_t>('M', SOUND_MIXER_LOUD);
inline constexpr std::uint32_t SOUND_MIXER_WRITE_MUTE =
    request_both<std::int32_t>('M', SOUND_MIXER_MUTE);
inline constexpr std::uint32_t SOUND_MIXER_WRITE_MAINVOL = request_both<std::int32_t>('M', 116);
inline constexpr std::uint32_t SOUND_MIXER_WRITE_RECGAIN = request_both<std::int32_t>('M', 119);
inline constexpr std::uint32_t SOUND_MIXER_WRITE_MONGAIN = request_both<std::int32_t>('M', 120);
inline constexpr std::uint32_t SOUND_MIXER_WRITE_RECSRC =
    request_both<std::int32_t>('M', SOUND_MIXER_RECSRC);
inline constexpr std::uint32_t SOUND_MIXER_INFO = request_read<mixer_info>('M', 101);
inline constexpr std::uint32_t SOUND_MIXER_PRIVATE1 = request_both<std::int32_t>('M', 111);
inline constexpr std::uint32_t SOUND_MIXER_PRIVATE2 = request_both<std::int32_t>('M', 112);
inline constexpr std::uint32_t SOUND_MIXER_PRIVATE3 = request_both<std::int32_t>('M', 113);
inline constexpr std::uint32_t SOUND_MIXER_PRIVATE4 = request_both<std::int32_t>('M', 114);
inline constexpr std::uint32_t SOUND_MIXER_PRIVATE5 = request_both<std::int32_t>('M', 115);
inline constexpr std::uint32_t SOUND_MIXER_GETLEVELS = request_both<mixer_vol_table>('M', 116);
inline constexpr std::uint32_t SOUND_MIXER_SETLEVELS = request_both<mixer_vol_table>('M', 117);
inline constexpr std::uint32_t OSS_GETVERSION = request_read<std::int32_t>('M', 118);
inline constexpr std::uint32_t SOUND_MIXER_RESERVED = request_both<std::uint8_t[512]>('M', 121);

}  // namespace ossloop::oss

#endif  // OSSLOOP_OSS_SOUNDCARD_H_
