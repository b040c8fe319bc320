// The seeds of the fuzzer: good stores, snapshots and values of every sort.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "doors.hpp"

namespace fuzz {

/// By name. What begins with `good-` is taken for good, with `bad-` refused.
using corpus = std::map<std::string, std::string>;

inline constexpr std::uint8_t all_mended = mend_header | mend_frames | mend_extents | mend_kinds;

inline void add(corpus& to, const std::string& name, door where, unsigned flags,
                std::vector<std::string> parts) {
  to[name] = input{where, static_cast<std::uint8_t>(flags), std::move(parts)}.write();
}

inline std::string segment_header() {
  return text_of(cairn::detail::file_header(cairn::detail::segment_magic, 1).view());
}

/// A segment's records without their checksums, behind the header of the first segment.
inline std::vector<std::string> parts_of_segment(const std::string& file) {
  std::vector<std::string> parts{segment_header().substr(0, cairn::detail::file_header_bytes - 8)};
  const auto records = view_of(file).subspan(cairn::detail::file_header_bytes);
  cairn::detail::record_cursor cursor{records, "a segment"};
  while (cursor.next()) {
    const auto size = cursor.offset() - cursor.last() - 8;
    parts.push_back(text_of(records.subspan(cursor.last(), size)));
  }
  return parts;
}

/// A log's header and frames without their checksums.
inline std::vector<std::string> parts_of_log(const std::string& file) {
  std::vector<std::string> parts{file.substr(0, cairn::detail::file_header_bytes - 8)};
  for (const auto& each :
       cairn::detail::scan_frames(view_of(file), cairn::detail::file_header_bytes).frames) {
    buffer head;
    head.put(static_cast<std::uint32_t>(each.payload.size()));
    head.put(each.kind);
    head.put(each.number);
    head.put(each.durable);
    head.append(each.payload);
    parts.push_back(text_of(head.view()));
  }
  return parts;
}

inline std::string frame_part(cairn::detail::edit_kind kind, std::uint64_t number,
                              bytes_view payload) {
  buffer head;
  head.put(static_cast<std::uint32_t>(payload.size()));
  head.put(kind);
  head.put(number);
  head.put(std::uint64_t{0});
  head.append(payload);
  return text_of(head.view());
}

inline void add_files(corpus& to) {
  for (const auto& [name, text] : good_store()) {
    const auto where = name.starts_with("segment-")    ? door::segment
                       : name.starts_with("manifest-") ? door::manifest
                                                       : door::journal;
    if (where == door::segment) {
      add(to, "good-" + name, where, all_mended | go_on, parts_of_segment(text));
      continue;
    }
    const std::string kind = where == door::manifest ? "manifest" : "journal";
    add(to, "good-" + kind, where, all_mended | go_on, parts_of_log(text));
    add(to, "good-" + kind + "-as-it-is", where, go_on, {text});
  }
  const auto& first = good_store().at("segment-000009");
  add(to, "good-segment-as-it-is", door::segment, mend_extents | go_on,
      {segment_header(), first.substr(cairn::detail::file_header_bytes)});

  auto edits = parts_of_log(good_store().at(good_manifest_name));
  buffer name;
  name.put_text("kept for a while");
  const auto latest = raw(good_manifest().snapshots.rbegin()->first);
  edits.push_back(frame_part(cairn::detail::edit_kind::keep, latest, name.view()));
  edits.push_back(frame_part(cairn::detail::edit_kind::remove, 0, name.view()));
  cairn::detail::commit_edit commit;
  commit.info.number = epoch{latest + 1};
  commit.oldest = epoch{latest};
  commit.dropped = {1, 2};
  edits.push_back(frame_part(cairn::detail::edit_kind::release, latest + 1,
                             cairn::detail::encode(commit).view()));
  add(to, "good-manifest-edits", door::manifest, all_mended, edits);

  auto entries = parts_of_log(good_store().at("journal-new%20orders-000001"));
  entries.emplace_back();
  entries.push_back(
      text_of(cairn::detail::file_header(cairn::detail::journal_magic, 2, 3).view().first(24)));
  entries.push_back(frame_part(cairn::detail::edit_kind::state, 3, view_of("another")));
  add(to, "good-journal-two-files", door::journal, all_mended | go_on, entries);
}

/// A record without its checksum.
inline std::string record_part(const cairn::record_header& header, bytes_view payload) {
  buffer one;
  cairn::detail::append_record(one, header, payload);
  return text_of(one.view().first(one.size() - 8));
}

inline bool is_kind(const std::string& part, cairn::record_kind kind) {
  return part[4] == static_cast<char>(kind);
}

/// Adds an actor below the first supervisor of a snapshot, and says for whom there is mail.
inline cairn::record_header add_actor(std::vector<std::string>& parts, std::uint64_t type,
                                      bytes_view state, std::uint64_t waiting) {
  constexpr std::size_t payload = cairn::detail::record_header_bytes;
  cairn::record_header made;
  made.kind = cairn::record_kind::actor;
  made.type = type;
  std::uint32_t cell = 0;
  std::string parent;  // an address
  for (auto& each : parts) {
    made.epoch = std::max(made.epoch, epoch{get_from<std::uint64_t>(each, epoch_at)});
    if (is_kind(each, cairn::record_kind::meta)) {
      made.actor = cairn::actor_id{get_from<std::uint64_t>(each, payload + 1)};
      cell = get_from<std::uint32_t>(each, payload + 17);
      put_into(each, payload + 1, raw(made.actor) + 1);
      put_into(each, payload + 17, cell + 1);
    }
    const bool supervisor =
        get_from<std::uint64_t>(each, 32) == cairn::type_hash<cairn::detail::supervisor_actor>;
    if (parent.empty() && supervisor) parent = each.substr(16, 8) + each.substr(payload + 1, 4);
  }
  buffer text;
  text.put(std::uint8_t{1});
  text.put(cell);
  text.append(view_of(parent));
  text.put_text("added");
  text.put(std::uint32_t{0});  // incarnation
  text.put(std::uint8_t{0});   // flags
  for (const auto each : {std::uint64_t{1}, std::uint64_t{0}})
    text.put(each);            // next await, newest mail
  text.put(std::uint64_t{0});  // tries, failures
  text.put(cairn::detail::bits_of(cairn::child_options{}));
  text.put(std::uint64_t{0});  // first state and its schema
  text.put(std::uint32_t{0});  // watchers
  text.put(std::uint32_t{waiting != 0});
  if (waiting != 0) {  // the parent waits for room
    text.append(view_of(parent));
    text.put(waiting);
  }
  for (const auto each : {std::uint32_t{0}, std::uint32_t{0}}) text.put(each);  // restarts, timers
  text.put(static_cast<std::uint32_t>(state.size()));
  text.append(state);
  for (const auto each : {std::uint64_t{0}, std::uint64_t{1}})
    text.put(each);            // position and next await of the base
  text.put(std::uint32_t{0});  // log
  parts.push_back(record_part(made, text.view()));
  return made;
}

inline void add_mail(std::vector<std::string>& parts, cairn::record_header to, std::uint64_t type,
                     bytes_view message) {
  to.kind = cairn::record_kind::mail;
  to.type = type;
  to.place = 1;
  buffer text;
  for (int zeros = 5; zeros > 0; --zeros) text.put(std::uint8_t{0});  // kind to index
  text.put(to.epoch);
  text.put(type);
  for (int zeros = 20; zeros > 0; --zeros) text.put(std::uint8_t{0});  // return
  text.put(static_cast<std::uint32_t>(message.size()));
  text.append(message);
  parts.push_back(record_part(to, text.view()));
}

/// A journal's port with an entry on its way, and a mailbox that somebody waits for.
inline void add_odd_actors(corpus& to, std::vector<std::string> parts) {
  auto with_port = parts;
  buffer state;
  cairn::encode(cairn::detail::journal_port{}, state);
  const auto port =
      add_actor(with_port, cairn::type_hash<cairn::detail::journal_port>, state.view(), 0);
  buffer put;
  cairn::encode(fuzzed::put{"a post", 1}, put);
  buffer post;
  post.put(cairn::detail::schema_of<fuzzed::put>());
  post.append(put.view());
  buffer entry;
  cairn::encode(cairn::detail::journal_entry{1, std::string{cairn::type_name<fuzzed::put>},
                                             text_of(post.view())},
                entry);
  add_mail(with_port, port, cairn::type_hash<cairn::detail::journal_entry>, entry.view());
  add(to, "good-payloads-port", door::payloads, go_on, std::move(with_port));

  state.clear();
  cairn::encode(fuzzed::shelf{}, state);
  const auto shelf = add_actor(parts, cairn::type_hash<fuzzed::shelf>, state.view(), 5);
  add_mail(parts, shelf, cairn::type_hash<fuzzed::put>, put.view());
  add(to, "good-payloads-room", door::payloads, go_on, std::move(parts));
}

/// Snapshots of a program of ours, those with the most under way.
inline void add_payloads(corpus& to) {
  const auto disk = std::make_shared<cairn::detail::memory_disk>();
  {
    machine on;
    auto chosen = on.options_on(store_on(disk));
    chosen.epoch.messages = 1;
    chosen.epoch.retain = 1000;
    on.start(std::move(chosen), &fuzzed::first_life);
    on.run(20000, true);
    require(on.ended(), "the program that leaves the seeds has not ended");
  }
  const auto odd_at = to.size();
  auto store = store_on(disk);
  const auto latest = *store.open({}).latest;
  for (const auto& each : store.list()) {
    std::vector<std::string> parts;
    store.read(each.number, [&](const cairn::record_view& record) {
      parts.push_back(record_part(record.header, record.payload));
    });
    const auto under_way = std::count_if(parts.begin(), parts.end(), [](const std::string& part) {
      return is_kind(part, cairn::record_kind::mail) || is_kind(part, cairn::record_kind::reply);
    });
    const auto name = "good-payloads-" + std::to_string(raw(each.number));
    if (each.number == latest) add(to, name, door::payloads, go_on | see_later, parts);
    if (under_way < 3) continue;
    // Names only make errors readable.
    std::erase_if(parts, [](const auto& part) { return is_kind(part, cairn::record_kind::name); });
    if (to.size() == odd_at) add_odd_actors(to, parts);
    add(to, name, door::payloads, go_on, std::move(parts));
  }
}

template <class T>
void add_value(corpus& to, const std::string& name, int kind, const T& value) {
  buffer text;
  cairn::encode(value, text);
  add(to, "good-value-" + name, door::codec, 0,
      {std::string(1, static_cast<char>(kind)) + text_of(text.view())});
}

inline void add_values(corpus& to) {
  add_value(to, "everything", 0, everything{});
  add_value(to, "shared", 1, shared_values{});
  chain links;
  links.next = std::make_unique<chain>();
  links.next->next = std::make_unique<chain>();
  add_value(to, "chain", 2, links);
  add_value(to, "tree", 3, tree{{tree{{}, "leaf"}, tree{}}, "top"});
  add_value(to, "empties", 4, std::vector<std::vector<empty>>(2, std::vector<empty>(3)));
  add_value(to, "versions", 5, std::vector<derived>(2));
  add_value(to, "unregistered", 6, unregistered{7});
  std::map<std::string, std::map<int, std::vector<everything>>> nested;
  nested["a"][1].resize(1);
  add_value(to, "nested", 7, nested);
  add_value(to, "hashed", 8, hash_map{{1, "one"}, {2, "two"}});
}

[[nodiscard]] inline corpus make_seeds() {
  corpus seeds;
  add_files(seeds);
  add_payloads(seeds);
  add_values(seeds);
  return seeds;
}

}  // namespace fuzz
