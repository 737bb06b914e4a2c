// Trim, truncate, reset, values.
#include "runner.hpp"

static void trim(session& kept, line& of) {
    say("ok first=%s", or_dash(kept.log(of).trim(of.number("before"))).c_str());
}

static void truncate(session& kept, line& of) {
    kept.log(of).truncate(of.number("after"));
    say("ok");
}

static void reset(session& kept, line& of) {
    kept.log(of).reset_to(of.number("next"));
    say("ok");
}

static void value_set(session& kept, line& of) {
    kept.log(of).values().set(of.bytes("key"), of.bytes("value"));
    say("ok");
}

static void value_get(session& kept, line& of) {
    const std::optional<std::string> value = kept.log(of).values().read(of.bytes("key"));
    if (value) say("ok value=%s", bytes_text(*value).c_str());
    else say("ok none");
}

static void value_delete(session& kept, line& of) {
    say("ok existed=%d", kept.log(of).values().erase(of.bytes("key")) ? 1 : 0);
}

static void value_update(session& kept, line& of) {
    const std::vector<std::string> keys = of.bytes_list("keys");
    const std::vector<std::string> given = of.items("values");
    if (given.size() != keys.size()) throw misread("keys= and values= differ", "value_update");
    // The changes are views: what they look at stands here.
    std::vector<std::string> values(keys.size());
    std::vector<wal::value_change> changes;
    for (std::size_t at = 0; at < keys.size(); at++) {
        wal::value_change change{keys[at], std::nullopt};
        if (given[at] != "none") {
            values[at] = literal(given[at]);
            change.value = values[at];
        }
        changes.push_back(change);
    }
    kept.log(of).values().update(changes);
    say("ok");
}

static void value_list(session& kept, line& of) {
    std::size_t count = 0;
    kept.log(of).values().for_each([&count](wal::bytes_view key, wal::bytes_view value) {
        say("value key=%s value=%s", bytes_text(key).c_str(), bytes_text(value).c_str());
        count++;
    });
    say("ok count=%zu", count);
}

bool changing(session& kept, line& of) {
    return take(kept, of, {{"trim", trim},
                           {"truncate", truncate},
                           {"reset", reset},
                           {"value_set", value_set},
                           {"value_get", value_get},
                           {"value_delete", value_delete},
                           {"value_update", value_update},
                           {"value_list", value_list}});
}
