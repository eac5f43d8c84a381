// The life of an actor: opens, forks, execs, and how it ends.
#include <fcntl.h>
#include <sanitizer/common_interface_defs.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "base/host.h"
#include "base/log.h"
#include "base/signal_mask.h"
#include "base/signals.h"
#include "base/sys.h"
#include "control/commands.h"
#include "control/view.h"
#include "device/device_thread.h"
#include "device/sync_group.h"
#include "oss/sndstat.h"
#include "shared_fuzz_moves.h"

namespace ossloop::fuzz {
namespace {

void ask_to_end(int, siginfo_t*, void*) { asked_to_end = 1; }
void pass(int, siginfo_t*, void*) {}

void handle(int number, void (*handler)(int, siginfo_t*, void*), int flags) {
  struct sigaction action {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | flags;
  ::sigaction(number, &action, nullptr);
}

// Half the programs end by the signal itself, the others return to their loop.
void install_handlers(const World& world, Chance& chance) {
  ::signal(SIGTERM, SIG_DFL);
  if ((world.parts & kHandlers) != 0 && chance.one_in(2)) {
    handle(SIGTERM, ask_to_end, 0);
    if ((world.parts & kMixed) != 0 && chance.one_in(3)) handle(SIGUSR1, pass, SA_RESTART);
  }
  // No report for what is no fault.
  if (world.truncates) ::signal(SIGBUS, SIG_DFL);
  base::signal_handlers_changed();
}

// What libc and libstdc++ say before they abort, for the supervisor.
void tell_errors_to(const World& world) {
  const std::string path = world.folder + ".errors." + std::to_string(::getpid());
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return;
  ::dup2(fd, 2);
  ::close(fd);
}

class Life {
 public:
  explicit Life(const Actor& actor)
      : actor_(actor), chance_(actor.post.seed.load()), moves_(actor.world, actor.post, chance_) {}

  void live() {
    const auto kind = actor_.post.kind.load();
    install_handlers(actor_.world, chance_);
    if (kind == Kind::kViewer) return view();
    const abi::SideIndex side = kind == Kind::kServer ? abi::kServer
                                : kind == Kind::kClient
                                    ? abi::kClient
                                    : static_cast<abi::SideIndex>(chance_.below(2));
    if (actor_.inherited >= 0) {
      // The child of a server, or of a client: only its descriptor tells.
      const shm::Node node(actor_.world.folder, 0, abi::kServer);
      struct stat status {};
      const bool is_server = ::fstat(actor_.inherited, &status) == 0 && node.is(status);
      const auto its = is_server ? abi::kServer : abi::kClient;
      if (moves_.adopt(its, actor_.inherited)) use(false);
      return;
    }
    const std::uint64_t opens = kind == Kind::kEither ? 20 : chance_.up_to(3);
    for (std::uint64_t i = 0; i < opens && asked_to_end == 0; ++i) {
      if (!moves_.open(side)) return;
      use(kind == Kind::kEither);
    }
  }

 private:
  void use(bool short_life) {
    if (!chance_.one_in(5)) moves_.choose_settings();
    const std::uint64_t steps = chance_.up_to(short_life ? 20 : 2000);
    for (std::uint64_t i = 0; i < steps && asked_to_end == 0; ++i) {
      moves_.step();
      const bool forks = (actor_.world.parts & kForks) != 0;
      if (forks && chance_.one_in(300)) fork_off();
      hear_of_children();
    }
    if (chance_.one_in(6)) ::_exit(0);  // without a close
    moves_.close();
  }

  void say(const char* text) {
    std::snprintf(actor_.post.doing, sizeof actor_.post.doing, "%s", text);
  }

  // In mid-stream, as a shell or a daemon does; the open is shared from then on.
  void fork_off() {
    Post* const post = free_post(actor_.board);
    if (post == nullptr) return;
    post->seed.store(chance_.bits());
    post->kind.store(Kind::kForked);
    say("fork");
    std::snprintf(post->doing, sizeof post->doing, "being forked");
    const std::uint64_t mask = base::hold_signals();
    device::SyncGroups::instance().before_fork();
    moves_.endpoint().before_fork();
    device::DeviceThread::instance().before_fork();
    const pid_t pid = ::fork();
    if (pid == 0) {
      post->pid.store(::getpid());
      base::forget_thread();
      device::DeviceThread::instance().after_fork_in_child();
    } else {
      post->pid.store(pid > 0 ? pid : 0);
      device::DeviceThread::instance().after_fork_in_parent();
    }
    moves_.endpoint().after_fork(pid == 0);
    device::SyncGroups::instance().after_fork();
    base::set_signal_mask(mask);
    if (pid == 0) be_the_child(*post);
    // A daemon's parent leaves.
    if (chance_.one_in(4)) ::_exit(0);
  }

  [[noreturn]] void be_the_child(Post& post) {
    const bool execs = Chance(post.seed.load()).one_in(3);
    Actor child{actor_.world, actor_.board, actor_.board_fd, post};
    if (execs) exec(child);
    // The parent's endpoint is in this memory: the life goes on, under another name.
    ::alarm(60);
    tell_errors_to(actor_.world);
    chance_ = Chance(post.seed.load());
    moves_.move_to(post);
    install_handlers(actor_.world, chance_);
    for (std::uint64_t i = chance_.up_to(200); i > 0 && asked_to_end == 0; --i) moves_.step();
    if (chance_.one_in(2)) moves_.close();
    ::_exit(0);
  }

  [[noreturn]] void exec(const Actor& child) {
    std::vector<std::string> words{"shared_fuzz",
                                   "--exec",
                                   actor_.world.folder,
                                   std::to_string(actor_.world.seed),
                                   std::to_string(actor_.world.parts),
                                   std::to_string(actor_.board_fd),
                                   std::to_string(&child.post - actor_.board.post),
                                   std::to_string(moves_.fd())};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    ::execv("/proc/self/exe", arguments.data());
    ::_exit(1);
  }

  void hear_of_children() {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid <= 0) return;
    for (Post& post : actor_.board.post) {
      if (post.pid.load() != pid) continue;
      post.status.store(status);
      post.ended.store(true);
    }
  }

  // What looks on: mixers, lists, status.
  void view() {
    config::Runtime runtime;
    runtime.folder = actor_.world.folder;
    runtime.config.policy[0] = actor_.world.policy;
    const oss::InstanceSet machine(actor_.world.folder, 1,
                                   [this](int) { return actor_.world.init(); });
    constexpr const char* kChanges[] = {
        "clock=free",     "clock=realtime", "clock=3",  "eof=silence", "eof=reset", "eof=eof",
        "underrun=stall", "overrun=drop",   "ppm=5000", "quality=low", "dither=on"};
    while (asked_to_end == 0) {
      say("look at all instances");
      control::look_at_all(runtime);
      say("sndstat");
      oss::sndstat(machine, "pcm0");
      for (int i = 0; i < 10; ++i) moves_.request();
      if (chance_.one_in(20)) {
        say("set a policy");
        control::Changes changes;
        std::string why;
        changes.add(chance_.pick(kChanges), why);
        control::set(runtime, 0, changes, why);
      }
      if (chance_.one_in(200)) {
        say("destroy");
        std::string why;
        control::destroy(runtime, 0, why);
      }
      pause_ms(chance_.up_to(30));
    }
  }

  const Actor actor_;
  Chance chance_;
  Moves moves_;
};

}  // namespace

void act(const Actor& actor) {
  // Where the device thread finds it, too, whose descriptors are its own.
  __sanitizer_set_report_path((actor.world.folder + ".report").c_str());
  tell_errors_to(actor.world);
  // Garbage must not make it fill the machine's memory.
  const rlimit most{rlim_t{256} << 20, rlim_t{256} << 20};
  ::setrlimit(RLIMIT_FSIZE, &most);
  ::alarm(60);  // should the supervisor be killed
  base::start_log("off");
  guard_mappings();
  static Life life(actor);
  life.live();
  ::_exit(0);
}

}  // namespace ossloop::fuzz
