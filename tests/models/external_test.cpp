// SPDX-License-Identifier: Apache-2.0
// A program outside: what it gets, what it must give, and every way in which it can fail.
#include "models/external.hpp"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/files/temporary_directory.hpp"
#include "tests/models/model_fixtures.hpp"
#include "tests/support/expect_throws_message.hpp"

namespace onmanifold {
namespace {

using testing::HasSubstr;

std::unique_ptr<GenerativeModel> external(const Value& command, double timeout_s = 30, Value::Table more = {}) {
  more.insert({{"command", command}, {"timeout_s", timeout_s}});
  Settings settings{Value(more), "test"};
  auto model = make_external(settings);
  settings.finish();
  return model;
}

std::string program(const std::string& mode) {
  return std::string(ONMANIFOLD_EXTERNAL_PROGRAM) + " " + mode + " {train} {samples} {n} {seed}";
}

/// The message with which sampling fails.
std::string failure(GenerativeModel& model) {
  try {
    (void)model.sample(20, Stream(1, "s"));
    return "no failure";
  } catch (const IoError& error) {
    return error.what();
  } catch (const TimeLimitExceeded& error) {
    return std::string("time: ") + error.what();
  }
}

TEST(External, GetsTheFixedLiftedDrawAndGivesItsSamples) {
  FitFixture fixture(NormalLaw::in_a_plane(), 50, 0.1);
  const auto model = external(program("ok"));
  model->fit(fixture.context());
  const Points samples = model->sample(20, Stream(1, "s"));
  const Points lifted = fixture.source().epoch(0);
  for (Index j = 0; j < 20; ++j) {
    EXPECT_EQ((lifted.colwise() - samples.col(j)).colwise().norm().minCoeff(), 0) << "not a point of the draw";
  }
  EXPECT_EQ(model->sample(20, Stream(1, "s")), samples);
  EXPECT_NE(model->sample(20, Stream(1, "other")), samples);
  EXPECT_THAT(model->log(), HasSubstr("mode ok, OMP_NUM_THREADS=1"));
}

TEST(External, IsToldOfItsCellAndGetsEveryEpochOnRequest) {
  FitFixture fixture(NormalLaw::in_a_plane(), 50, 0.1);
  FitContext context = fixture.context();
  context.task = "a task's name";
  context.lift = LiftType::normal;
  context.lift_sigma = 0.1;
  const auto model = external(
      "echo {task} / {lift} / {sigma} / {manifold}; cmp {train} {epochs}/0.npy && ! cmp -s {epochs}/0.npy {epochs}/2.npy && ls {epochs}"
      " && head -c 1328 {epochs}/1.npy > {samples} && exit 7",
      30, {{"epochs", 3}});
  model->fit(context);
  EXPECT_THAT(failure(*model), HasSubstr("exit code 7"));
  EXPECT_THAT(model->log(),
              HasSubstr("a task's name / normal / 0.1 / " + context.manifold->spec() + "\n0.npy\n1.npy\n2.npy\n"));
  const Value::Table three = {{"epochs", 3}};
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)external("x {samples}", 30, three); },
                                           {"epochs", "the command has no place {epochs}"}));
  EXPECT_TRUE(throws_message<InvalidInput>([] { (void)external("x {samples} {epochs}"); },
                                           {"command", "{epochs} needs the setting epochs"}));
}

TEST(External, EveryFailureIsNamedAndKeepsTheOutput) {
  FitFixture fixture(NormalLaw::in_a_plane(), 50);
  for (const auto& [mode, message] :
       {std::pair{"crash", "killed by signal 6"}, std::pair{"code", "exit code 3: mode code, OMP_NUM_THREADS=1"},
        std::pair{"nothing", "wrote no samples"}, std::pair{"garbage", "samples.npy"},
        std::pair{"few", "are 19×3, expected 20×3"}, std::pair{"wide", "are 20×4, expected 20×3"},
        std::pair{"nan", "1 of 60 numbers are not finite"}}) {
    const auto model = external(program(mode));
    model->fit(fixture.context());
    EXPECT_THAT(failure(*model), HasSubstr(message));
    EXPECT_THAT(model->log(), HasSubstr(std::string("mode ") + mode));
  }
  const auto missing = external("no-such-program-anywhere {samples}");
  missing->fit(fixture.context());
  EXPECT_THAT(failure(*missing), HasSubstr("exit code 127"));
  EXPECT_THAT(missing->log(), HasSubstr("not found"));
}

TEST(External, AHangEndsAtItsTimeLimitWithAllItStarted) {
  FitFixture fixture(NormalLaw::in_a_plane(), 50);
  const std::string pid_file = testing::TempDir() + "/onmanifold-external-pid-" + std::to_string(getpid());
  // A grandchild in the background, which the group's end must reach too.
  const auto model = external("sleep 1000 & echo $! > " + pid_file + "; " + program("hang"), 0.5);
  model->fit(fixture.context());
  EXPECT_THAT(failure(*model), HasSubstr("time: external: not done after 0.5 s"));
  std::ifstream file(pid_file);
  pid_t grandchild = 0;
  ASSERT_TRUE(file >> grandchild);
  std::filesystem::remove(pid_file);
  // Killed, it waits for its new parent to take note: a zombie has no command line.
  std::string left;
  for (int i = 0; i < 100; ++i) {
    std::ifstream command("/proc/" + std::to_string(grandchild) + "/cmdline");
    left.clear();
    std::getline(command, left);
    if (left.empty()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_TRUE(left.empty()) << left;
}

/// Another place for temporary files while it lives.
class OwnTemporaryPlace {
 public:
  explicit OwnTemporaryPlace(const std::string& name) : path_(directory_.file(name)) {
    std::filesystem::create_directory(path_);
    if (const char* before = std::getenv("TMPDIR")) before_ = before;
    setenv("TMPDIR", path_.c_str(), 1);
  }
  ~OwnTemporaryPlace() {
    if (before_.empty()) {
      unsetenv("TMPDIR");
    } else {
      setenv("TMPDIR", before_.c_str(), 1);
    }
  }
  OwnTemporaryPlace(const OwnTemporaryPlace&) = delete;
  OwnTemporaryPlace& operator=(const OwnTemporaryPlace&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  TemporaryDirectory directory_;
  std::string path_;
  std::string before_;
};

TEST(External, LeavesNoFiles) {
  FitFixture fixture(NormalLaw::in_a_plane(), 50);
  const OwnTemporaryPlace place("own");
  for (const char* mode : {"ok", "crash"}) {
    const auto model = external(program(mode));
    model->fit(fixture.context());
    (void)failure(*model);
    EXPECT_TRUE(std::filesystem::is_empty(place.path())) << mode;
  }
}

TEST(External, NoNameOfAFolderIsReadByTheShell) {
  FitFixture fixture(NormalLaw::in_a_plane(), 50);
  const std::string marker = testing::TempDir() + "/PWNED" + std::to_string(getpid());
  for (const char* name : {"with a space", "x;touch $PWNED;", "it's", "q\"$(touch $PWNED)`touch $PWNED`\\", "{n}"}) {
    setenv("PWNED", marker.c_str(), 1);
    const OwnTemporaryPlace place(name);
    const std::string start = std::string(ONMANIFOLD_EXTERNAL_PROGRAM) + " ok ";
    for (const std::string places : {"{train} {samples} {n} {seed}", "\"{train}\" '{samples}' \"{n}\" {seed}",
                                     "\"\"{train} ''{samples}'' {n} {seed}"}) {
      const auto model = external(start + places);
      model->fit(fixture.context());
      EXPECT_EQ(failure(*model), "no failure") << name << ": " << places;
    }
    const auto direct =
        external(Value(Value::Array{ONMANIFOLD_EXTERNAL_PROGRAM, "ok", "{train}", "{samples}", "{n}", "{seed}"}));
    direct->fit(fixture.context());
    EXPECT_EQ(failure(*direct), "no failure") << name;
    EXPECT_FALSE(std::filesystem::exists(marker)) << name;
  }
}

TEST(External, AnArrayNeedsNoShellAndSaysWhatIsNotFound) {
  FitFixture fixture(NormalLaw::in_a_plane(), 50);
  const auto missing = external(Value(Value::Array{"no-such-program-anywhere", "$HOME;{samples}"}));
  missing->fit(fixture.context());
  EXPECT_THAT(failure(*missing), HasSubstr("exit code 127: no-such-program-anywhere: No such file"));
  const auto echo = external(Value(Value::Array{"echo", "$HOME; {samples}"}));
  echo->fit(fixture.context());
  EXPECT_THAT(failure(*echo), HasSubstr("wrote no samples"));
  EXPECT_THAT(echo->log(), testing::StartsWith("$HOME; /"));
}

TEST(External, OutputIsCutInTheMiddleAndCannotActOnATerminal) {
  FitFixture fixture(NormalLaw::in_a_plane(), 50);
  const auto loud = external(program("loud"));
  loud->fit(fixture.context());
  EXPECT_EQ(failure(*loud), "no failure");
  EXPECT_LT(loud->log().size(), 200U * 1024U);
  EXPECT_THAT(loud->log(), testing::StartsWith("mode loud"));
  EXPECT_THAT(loud->log(), HasSubstr("bytes left out]"));
  EXPECT_THAT(loud->log(), HasSubstr("the last line"));
  const auto nul = external(program("nul"));
  nul->fit(fixture.context());
  EXPECT_EQ(failure(*nul), "no failure");
  EXPECT_THAT(nul->log(), HasSubstr("a\\x00b\\x1b[31m\n"));
}

TEST(External, ThreadsAndMemoryAreSettings) {
  FitFixture fixture(NormalLaw::in_a_plane(), 50);
  const auto threads = external(program("ok"), 30, {{"threads", 3}});
  threads->fit(fixture.context());
  EXPECT_EQ(failure(*threads), "no failure");
  EXPECT_THAT(threads->log(), HasSubstr("OMP_NUM_THREADS=3"));
#ifdef __SANITIZE_ADDRESS__
  return;  // what its shadow takes counts towards the limit
#endif
  const auto limited = external("ulimit -d; exit 9 # {samples}", 30, {{"memory_gb", 1.024}});
  limited->fit(fixture.context());
  EXPECT_THAT(failure(*limited), HasSubstr("exit code 9: 1000000"));
}

TEST(External, KnowsTheFilesThatItsSamplesDependOn) {
  const TemporaryDirectory directory;
  std::filesystem::create_directories(directory.file("my flow/__pycache__"));
  std::filesystem::create_directories(directory.file("my flow/net"));
  for (const char* name : {"run.py", "a b.py", "c.toml", "my flow/net/w.pt", "my flow/m.py", "my flow/.hidden",
                           "my flow/__pycache__/m.pyc", "other.py"}) {
    std::ofstream(directory.file(name)) << name;
  }
  const auto path = [&](const std::string& name) { return directory.file(name); };
  const auto files = [](const Value& command, Value::Table more = {}) {
    more.insert({"command", command});
    Settings settings(Value(more), "test");
    return make_external(settings)->input_files();
  };
  using testing::ElementsAre;
  EXPECT_THAT(files("python3 " + path("run.py") + " --out {samples}"), ElementsAre(path("run.py")));
  EXPECT_THAT(files("cat '" + path("a b.py") + "'>/dev/null;python3 --c=" + path("c.toml") + " {samples}"),
              ElementsAre(path("a b.py"), path("c.toml")));
  EXPECT_THAT(files(Value(Value::Array{"python3", path("a b.py"), "--c=" + path("c.toml"), "{samples}"})),
              ElementsAre(path("a b.py"), path("c.toml")));
  EXPECT_THAT(files("no-such-file " + path("my flow") + " {samples}"),
              testing::IsEmpty());  // a folder only as an input
  EXPECT_THAT(files("python3 -m x {samples}", {{"inputs", Value::Array{path("my flow"), path("c.toml")}}}),
              ElementsAre(path("c.toml"), path("my flow/m.py"), path("my flow/net/w.pt")));
  EXPECT_TRUE(throws_message<InvalidInput>(
      [&] {
        (void)files("x {samples}", {{"inputs", Value::Array{path("none.pt")}}});
      },
      {"test: inputs: " + path("none.pt") + ": no such file or folder"}));
}

TEST(External, NeedsACommandWithAPlaceForTheSamples) {
  EXPECT_THROW((void)external(""), InvalidInput);
  EXPECT_THROW((void)external("python3 train.py"), InvalidInput);
  EXPECT_THROW((void)external(Value(Value::Array{})), InvalidInput);
  EXPECT_THROW((void)external(Value(Value::Array{"python3", "train.py"})), InvalidInput);
}

}  // namespace
}  // namespace onmanifold
