// ossloopctl record: a loop into a sound file.
#include <unistd.h>

#include <limits>
#include <memory>

#include "control/view.h"
#include "ossloopctl/command.h"
#include "ossloopctl/device.h"
#include "ossloopctl/listener.h"
#include "ossloopctl/offers.h"
#include "ossloopctl/recording.h"
#include "ossloopctl/side.h"
#include "ossloopctl/sound_words.h"

namespace ossloop::ctl {
namespace {

struct Options {
  RecordingPlan plan;
  SoundWords words;
  bool taps = false;
};

int finish(Recording& recording) {
  std::string why;
  if (recording.begin(why) && recording.run(why)) return kDone;
  return why.empty() ? kFailed : failed(why);
}

// Streams can be told from each other only where their ends are told.
bool ends_are_told(const config::Runtime& runtime, const SideChoice& side, std::string& why) {
  int number = 0;
  if (!parse_instance(side.instance, number, why)) return false;
  const std::string eof = config::format_policy_value(control::look(runtime, number).policy, "eof");
  if (eof == "reset" || eof == "eof") return true;
  why = "--split: instance " + side.instance + " has eof=" + eof +
        ", which tells no end of a stream; accepted are reset and eof";
  return false;
}

int record(const Options& options, const SideChoice& side) {
  std::string why;
  Device device;
  if (options.plan.splits) {
    const int status = with_configuration([&](const config::Runtime& runtime) -> int {
      return ends_are_told(runtime, side, why) ? kDone : failed(why);
    });
    if (status != kDone) return status;
  }
  // The device first: a file that is there already is not to be lost for nothing.
  if (!device.open(Device::Direction::kRecord, side.wait_seconds, why)) return failed(why);
  Recording recording(options.plan, device);
  return finish(recording);
}

// In this very process: a tap is no open of the device.
int tap(const config::Runtime& runtime, const Options& options, const SideChoice& side) {
  std::string why;
  Listener listener;
  if (control::check_folder(runtime, false, why) < 0) return failed(why);
  if (options.plan.splits && !ends_are_told(runtime, side, why)) return failed(why);
  // First, as above.
  if (!listener.open(runtime, side, why)) return failed(why);
  Recording recording(options.plan, listener);
  return finish(recording);
}

int start(Options& options, const SideChoice& side) {
  std::string why;
  RecordingPlan& plan = options.plan;
  const std::string device = side.device(true, why);
  if (device.empty() || !options.words.spec_to_record(plan.path, plan.spec, why)) {
    return wrong_usage(why);
  }
  if (!plan.spec.possible(why)) return failed(plan.path + ": " + why);
  if (plan.splits && plan.path == "-") {
    return wrong_usage("--split: standard output is no file; expected a file's name");
  }
  if (!plan.spectrogram.empty() && plan.path == "-") {
    return wrong_usage(
        "--spectrogram: standard output cannot be read again; expected a file's name");
  }
  plan.follows = plan.follows || plan.splits;
  if (plan.path == "-" && ::isatty(STDOUT_FILENO)) {
    return failed("standard output is a terminal; accepted are a pipe and a file");
  }
  if (options.taps) {
    return with_configuration(
        [&](const config::Runtime& runtime) { return tap(runtime, options, side); });
  }
  return on_device(device, [&] { return record(options, side); });
}

}  // namespace

void add_record(CLI::App& app, int& status) {
  CLI::App* command =
      app.add_subcommand("record", "Records streams of an instance into sound files");
  command->footer("It ends with the stream, after --duration, or with Ctrl-C.");
  const auto options = std::make_shared<Options>();
  const auto side = add_side_options(*command, true);
  add_sound_options(*command, options->words, "Kind of file, whatever its name");
  command->add_flag("--tap", options->taps, "Take no side: hear what others play, and delay nobody")
      ->option_text(" ");
  command->add_option("-d,--duration", options->plan.seconds, "End after so much sound")
      ->check(number_in(0, 1e9))
      ->option_text("SECONDS");
  command->add_flag("--follow", options->plan.follows, "Go on with the next stream after an end")
      ->option_text(" ");
  command
      ->add_flag("--split", options->plan.splits,
                 "Follow, with a file for each stream: take-001.wav ... of take.wav")
      ->option_text(" ");
  offer(command->add_option("--spectrogram", options->plan.spectrogram,
                            "Draw its spectrogram in this PNG file; with --split one for each"),
        offer_files)
      ->option_text("FILE");
  command->add_flag("-q,--quiet", options->plan.quiet, "Tell only what fails")->option_text(" ");
  offer(command->add_option("FILE", options->plan.path,
                            "Its ending tells the kind: " + file_endings() +
                                "; - is standard output, as AU unless --type says so"),
        offer_files)
      ->required()
      ->option_text(" ");
  command->callback([options, side, &status] { status = start(*options, *side); });
}

}  // namespace ossloop::ctl
