// How is a class of the rules of evidence shown: word, shape and colour together?
#pragma once
#include <string_view>

#include "io/archive/evidence.hpp"
#include "io/report/page/markup.hpp"

namespace stemma {

/// What a class says, in few words for a legend.
std::string_view meaning_of(Relation relation);
/// Whether the class says that two models are related.
bool joins(Relation relation);

/// The shape of a class in a box of `size` pixels whose centre is (x, y), inside an svg.
void draw_mark(Markup& page, Relation relation, double x, double y, double size);
/// The shape as an svg of its own, for text; it says nothing to a screen reader, as the word follows.
void write_mark(Markup& page, Relation relation);
/// Shape and word: "SAME_LINEAGE", "ABSTAIN (no_anchor)".
void write_relation(Markup& page, Relation relation, std::string_view reason);

}  // namespace stemma
