// A message that kills the process becomes a dead letter, and harmless ones are not accused.
#include "deadly_programs.hpp"

TEST_CASE("deadly: a process", "[.]") {
  CHECK(deadly::run_in(deadly::variable("CAIRN_PLACE")) == 0);
}

TEST_CASE("a message that two processes die of becomes a dead letter in the third") {
  const auto found = deadly::live("plain");
  CHECK(found.said == "11, deadly::add: the process has died of it 2 times");
  CHECK(found.deaths == 2);
}

TEST_CASE("of many messages alike the one is accused that processes die of") {
  const auto found = deadly::live("row");
  CHECK(found.said == "31, deadly::add: the process has died of it 2 times");
  CHECK(found.deaths == 2);
}

TEST_CASE("of many messages alike the one is accused that processes die of when it is copied") {
  const auto found = deadly::live("copied");
  CHECK(found.said == "17, letters 1");
  CHECK(found.deaths == 2);
}

TEST_CASE("a death of something else before it accuses no message") {
  const auto found = deadly::live("other");
  CHECK(found.said == "11, deadly::add: the process has died of it 2 times");
  CHECK(found.deaths == 3);
}

TEST_CASE("what an orderly end has left behind is found by two deaths without a commit between") {
  const auto found = deadly::live("orderly");
  CHECK(found.said == "0, deadly::add: the process has died of it 2 times");
  CHECK(found.deaths == 2);
}

TEST_CASE("a suspended handler that the process dies of is given up where it stands") {
  const auto found = deadly::live("slow");
  CHECK(found.said == "100, deadly::slow: the process has died of it 2 times");
  CHECK(found.deaths == 2);
}

TEST_CASE("an actor whose replay kills the process waits for an operator") {
  const auto found = deadly::live("replay");
  CHECK(found.said == "suspended");
  CHECK(found.deaths == 3);  // the first one has run nothing again
}

TEST_CASE("a handler whose replay kills the process is given up where an operator says so") {
  const auto found = deadly::live("given up");
  CHECK(found.said.starts_with("0, deadly::slow: its suspended handler is not run again"));
  CHECK(found.deaths == 3);
}

TEST_CASE("an actor that kills the process in its serialize waits, and no message is accused") {
  const auto found = deadly::live("writing");
  CHECK(found.said == "suspended, letters 0");
  CHECK(found.deaths == 2);
}

TEST_CASE(
    "who kills the process wherever it is serialized is not, nor does it after an orderly end") {
  const auto found = deadly::live("unwritable", 8, true);
  CHECK(found.said == "suspended, letters 0");
  CHECK(found.then == found.said);
  CHECK(found.deaths == 3);
}

TEST_CASE("neither mail, reminders, words nor an abandoned epoch have a deadly actor written") {
  const auto found = deadly::live("touched", 8, true);
  CHECK(found.said == "suspended abandoned restarted");
  CHECK(found.then == found.said);
  CHECK(found.deaths == 3);
}

TEST_CASE("who resumes an actor that was deadly to serialize has it written again") {
  const auto found = deadly::live("mended", 8, true);
  CHECK(found.said == "suspended, letters 0");
  // What was sent to it meanwhile has waited, and its reminder: it comes once.
  CHECK(found.then == "suspended, letters 0, then 11, letters 0");
  CHECK(found.deaths == 3);
}

TEST_CASE("who was resumed, and that is committed, is held back no more by the next process") {
  const auto found = deadly::live("pardoned");
  CHECK(found.said == "5, letters 0");
  CHECK(found.deaths == 4);  // the one that resumed it dies of something else
}

TEST_CASE("who was resumed is still held back where that was not committed") {
  const auto found = deadly::live("lost pardon");
  CHECK(found.said == "suspended, letters 0");
  CHECK(found.deaths == 4);
}

TEST_CASE("a rollback to a snapshot that says so holds nobody back who was resumed") {
  const auto found = deadly::live("pardoned back");
  CHECK(found.said == "5, letters 0");
  CHECK(found.deaths == 3);
}

TEST_CASE("mail that kills the process when it is serialized is not") {
  const auto found = deadly::live("mail");
  CHECK(found.said == "suspended, letters 0, then 0, letters 0");  // nobody knows which mail
  CHECK(found.deaths == 3);
}

TEST_CASE("an actor that kills the process in its on_start waits, and no message is accused") {
  const auto found = deadly::live("start");
  CHECK(found.said == "suspended, letters 0");
  CHECK(found.deaths == 3);
}

TEST_CASE("a function of self.run that processes die of is named, and begun again") {
  const auto found = deadly::live("run");
  const std::string end = " times while \"pay\" of self.run ran; it is begun again";
  CHECK(found.said == "the process has died 2" + end);
  CHECK(found.then == "the process has died 3" + end);
  CHECK(found.deaths == 5);  // the first has only left the message
}

TEST_CASE("a rollback forgets no accusation") {
  const auto found = deadly::live("back");
  CHECK(found.said == "11, deadly::add: the process has died of it 2 times");
  CHECK(found.deaths == 2);
}

TEST_CASE("deaths at different positions accuse nobody") {
  const auto found = deadly::live("elsewhere", 6);
  CHECK(found.deaths == 6);
  CHECK(found.said.empty());
}
