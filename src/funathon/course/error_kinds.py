"""The kinds of error that were found in wrong answers of the pretrained model, in plain words, for `funathon.course.errors_page`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of error."""

    name: str
    """As `data/benchmarks/errors.tsv` has it."""
    short: str
    cause: str
    helps: str

    @property
    def anchor(self) -> str:
        """The id that Quarto and the preview give the heading of its section."""
        return self.name.replace(",", "").replace(" ", "-")


KINDS = (
    Kind(
        "made, sold or repaired",
        "the right thing, but something else is done with it",
        "The model adds up words, and the thing has many, what is done with it has one: *sell*, *agency*, *assembling*. Sometimes that"
        " word has next to no weight beside the name of the thing.",
        "Ask at once: *do you make it, sell it (to whom?), let it, fit it, repair it, or bring others together?* The right class is"
        " mostly among the first three, so show a coder the [candidates](4-prediction.ipynb), not the first alone. A language model"
        " that [reads the notes of the candidates](7-generation.ipynb) may heed the verb better.",
    ),
    Kind(
        "half a name",
        "a word of a fixed expression, or one with two senses, was read alone",
        "A name of two words means something else than its words. The network weighs each word by what stands around it, but in a text"
        " of two or three words the strong one wins.",
        "Look at [which words decided](4-prediction.ipynb): where it is one of two, distrust the answer, whatever its confidence. Such"
        " names stand in alphabetical indexes; [labels in the search](8-evaluation.ipynb) are a way to have them looked up.",
    ),
    Kind(
        "next door",
        "two classes that differ in one feature",
        "Beds or no beds, joined or loose, over one's own lines or another's: the text says it, in a word that weighs no more than others,"
        " or both classes share nearly all their words.",
        "The right class is nearly always second or third. A coder reads the exclusions of both, which name the feature"
        " ([chapter 6](6-vector-database.ipynb)), and asks for it. A form could ask for it, too.",
    ),
    Kind(
        "unknown word",
        "a trade word, a foreign word or a typing error that means nothing to the model",
        "A word that it never or hardly met is cut into [pieces of other words](2-tokenizer.ipynb), and these vote; or it is known and has"
        " next to no weight, so that the rest of the text decides.",
        "Mostly the confidence is low, so that the text goes to [review](4-prediction.ipynb), where a dictionary is enough. The candidates"
        " help little. For the model: more texts with such words, or vectors of a model that has read more"
        " ([chapter 6](6-vector-database.ipynb)).",
    ),
    Kind(
        "purpose, material or customer",
        "what it is for, made of or sold to was taken for what it is, or overlooked",
        "*For*, *of* and *to* say what stands for what, and have hardly any weight. What stands behind them often names a class of its own:"
        " yachts, batteries, toys.",
        "Ask *what leaves your door, and who takes it?* Then look whether the class is one of a product or of a use; the notes say so."
        " See also which word decided: if it is the customer's, the answer is the customer's class.",
    ),
    Kind(
        "scene",
        "what goes on is shown, and the word for it is missing",
        "A prison without the word, steel that is brought in soft and taken away hard: people understand by what they know of the world."
        " The network knows words.",
        "The confidence is mostly low: review catches them. A form that says *name it in a few words* gets fewer. A language model may read"
        " such texts better; [chapter 9](9-comparison.ipynb) compares both systems on one text.",
    ),
    Kind(
        "side activity",
        "a side activity, or one that is denied, was taken for the main one",
        "The model weighs a word by its neighbours, but it has no grammar: *we never install* holds the word *install*, and *a little repair"
        " counter* the word *repair*. Side activities are often told in plainer words than the main one.",
        "The main activity is [what gets the code](1-data.ipynb). A coder asks *which brings in most?* A form with two fields, main"
        " activity and others, spares the question. Nobody should be asked to list what they do not do.",
    ),
    Kind(
        "story",
        "words about the past, a place, an owner or tools outweighed the activity",
        "Among a hundred words about grandparents, dogs and chairlifts one sentence is about the activity, and every word has a vote."
        " And in the longest texts the model never gets as far as that sentence.",
        "Confidence is low nearly always, so [review](4-prediction.ipynb) catches them. Better is to ask for the activity first, in a"
        " sentence of its own; or to cut the text into sentences and look at the answer to each.",
    ),
    Kind(
        "convention",
        "the nomenclature puts it where its words do not lead",
        "Copying plans is office work, a dig is research, advice to farmers belongs to the experts. It follows from the notes, not from the"
        " words, and the model is often sure.",
        "A threshold catches few of them. The [notes and exclusions](6-vector-database.ipynb) do: a coder looks up what seems obvious"
        " once, and an office keeps a list. A system that [reads the notes](7-generation.ipynb) has them before it.",
    ),
    Kind(
        "left open",
        "the text can be read as the model read it",
        "A bare good, and nothing on who makes it and who sells it: *pepper, cinnamon and saffron for meat processors*. Where the test has"
        " one answer, the text has two.",
        "No model can know. Send it back with one question, *made or bought?*, and do not hold the error against the model; look rather"
        " whether the test is fair to it.",
    ),
)
