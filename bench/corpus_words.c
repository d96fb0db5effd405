#include "bench/corpus_words.h"

const char *const corpus_nouns[CORPUS_NOUNS] = {
    "lattice",      "measure",     "kernel",      "boundary",     "sequence",      "operator",
    "spectrum",     "manifold",    "gradient",    "residue",      "corollary",     "estimate",
    "hypothesis",   "algorithm",   "filtration",  "projection",   "tensor",        "module",
    "scheduler",    "compiler",    "grammar",     "automaton",    "alphabet",      "reader",
    "editor",       "paragraph",   "chapter",     "river",        "harbour",       "archive",
    "instrument",   "telescope",   "catalogue",   "experiment",   "sample",        "quantile",
    "histogram",    "variance",    "likelihood",  "prior",        "posterior",     "covariance",
    "inequality",   "constant",    "argument",    "proof",        "lemma",         "theorem",
    "definition",   "example",     "remark",      "exercise",     "notation",      "convention",
    "functor",      "category",    "morphism",    "fibre",        "bundle",        "connection",
    "curvature",    "geodesic",    "metric",      "topology",     "neighbourhood", "covering",
    "partition",    "refinement",  "mesh",        "element",      "basis",         "dimension",
    "rank",         "determinant", "eigenvalue",  "resolvent",    "semigroup",     "flow",
    "orbit",        "attractor",   "bifurcation", "perturbation", "expansion",     "remainder",
    "series",       "product",     "integral",    "derivative",   "potential",     "density",
    "distribution", "martingale",  "process",     "increment",    "stopping time", "threshold",
    "signal",       "channel",     "codeword",    "decoder",
};

const char *const corpus_adjectives[CORPUS_ADJECTIVES] = {
    "uniform",     "bounded",    "compact",     "convex",      "finite",      "smooth",
    "discrete",    "continuous", "measurable",  "separable",   "complete",    "regular",
    "singular",    "degenerate", "generic",     "linear",      "bilinear",    "quadratic",
    "cubic",       "elliptic",   "hyperbolic",  "parabolic",   "stochastic",  "random",
    "adaptive",    "greedy",     "parallel",    "sequential",  "recursive",   "iterative",
    "explicit",    "implicit",   "symmetric",   "hermitian",   "unitary",     "orthogonal",
    "diagonal",    "triangular", "sparse",      "dense",       "local",       "global",
    "asymptotic",  "numerical",  "empirical",   "theoretical", "classical",   "modern",
    "elementary",  "abstract",   "concrete",    "canonical",   "minimal",     "maximal",
    "irreducible", "reducible",  "commutative", "associative", "transversal", "stable",
};

const char *const corpus_verbs[CORPUS_VERBS] = {
    "bounds",          "controls",     "determines",   "dominates",     "extends",
    "factors through", "generates",    "implies",      "induces",       "majorises",
    "preserves",       "reflects",     "represents",   "resolves",      "satisfies",
    "separates",       "spans",        "splits",       "stabilises",    "transforms",
    "describes",       "explains",     "predicts",     "confirms",      "refutes",
    "refines",         "replaces",     "approximates", "improves",      "simplifies",
    "restricts",       "contains",     "admits",       "inherits",      "violates",
    "computes",        "encodes",      "decodes",      "observes",      "measures",
    "detects",         "rejects",      "accepts",      "minimises",     "maximises",
    "balances",        "interpolates", "annihilates",  "commutes with", "converges to",
};

const char *const corpus_adverbs[CORPUS_ADVERBS] = {
    "uniformly", "locally",       "eventually", "almost surely", "explicitly", "implicitly",
    "rapidly",   "slowly",        "strictly",   "weakly",        "strongly",   "essentially",
    "formally",  "numerically",   "clearly",    "directly",      "naturally",  "canonically",
    "pointwise", "monotonically", "globally",   "generically",   "rarely",     "often",
    "sharply",   "smoothly",      "carefully",  "independently", "jointly",    "marginally",
};

const char *const corpus_names[CORPUS_NAMES] = {
    "Gauss",  "Poincaré", "Gödel",    "Erdős",   "Łukasiewicz", "Čech",    "Ångström", "Hölder",
    "Möbius", "Weyl",     "Noether",  "Lévy",    "Itô",         "Fréchet", "Gårding",  "Sørensen",
    "Müller", "Schröder", "Núñez",    "Šafařík", "Banach",      "Hilbert", "Riesz",    "Fejér",
    "Pólya",  "Szegő",    "Cramér",   "Rényi",   "Kőnig",       "Abel",    "Galois",   "Kähler",
    "Dvořák", "Peñalver", "Brønsted", "Cantor",  "Dedekind",    "Euler",   "Fourier",  "Žižka",
};

const char *const corpus_greek[CORPUS_GREEK] = {
    "\\alpha", "\\beta",   "\\gamma", "\\delta", "\\varepsilon", "\\zeta",  "\\eta",   "\\theta",
    "\\kappa", "\\lambda", "\\mu",    "\\nu",    "\\xi",         "\\pi",    "\\rho",   "\\sigma",
    "\\tau",   "\\varphi", "\\chi",   "\\psi",   "\\omega",      "\\Gamma", "\\Delta", "\\Omega",
};

const char *const corpus_operators[CORPUS_OPERATORS] = {
    "+",     "-",     "\\cdot", "\\times", "\\otimes", "\\oplus",
    "\\cup", "\\cap", "\\circ", "\\wedge", "\\pm",     "\\ast",
};

const char *const corpus_relations[CORPUS_RELATIONS] = {
    "=",       "<",        ">",       "\\le",     "\\ge",       "\\ne", "\\sim",
    "\\simeq", "\\approx", "\\equiv", "\\subset", "\\subseteq", "\\to", "\\propto",
};

const char *const corpus_terms[CORPUS_TERMS] = {
    "\\frac{@M}{@M @o @i}",
    "\\sqrt{{@M}^{@i} @o @M}",
    "\\sum_{@x=@i}^{@M} @g_{@x} @x^{@x}",
    "\\int_{@i}^{\\infty} @x(@g)\\,d@g",
    "\\left( @M @o \\frac{@M}{@M} \\right)^{@i}",
    "\\prod_{@x \\in @x} \\bigl(1 - @M\\bigr)",
    "\\mathbb{@x}[@M @o @M]",
    "\\mathcal{@x}_{@M}(@M)",
    "\\lVert @M @o @M \\rVert_{@i}",
    "\\lim_{@x \\to @i} {@M}_{@x}",
    "\\overline{@M @o @M}",
    "\\hat{@x}_{@x,@i}^{(@i)}",
    "e^{-@g @x^{2}/@i}",
    "\\langle @M, @M \\rangle",
    "\\binom{@x}{@i} {@M}^{@x}",
    "\\sup_{@x > @i} |@M|",
    "\\partial_{@x} @M @o \\nabla @M",
    "\\max\\{@M, @M, @i\\}",
    "\\operatorname{rank}(@x @o @x)",
    "\\mathbf{@x}^{\\top} @M \\mathbf{@x}",
};

const char *const corpus_short_terms[CORPUS_SHORT_TERMS] = {
    "@x",     "@g",     "@x_{@i}", "@g_{@x}", "@x^{@i}", "@i@x",      "@g^{@x}",
    "x_{@x}", "@x(@x)", "@i",      "@x'",     "@g @x",   "\\bar{@x}", "@x_{@x}^{@i}",
};

const char *const corpus_russian[CORPUS_RUSSIAN] = {
    "язык",        "слово",      "время",     "город",          "человек",    "книга",
    "наука",       "природа",    "движение",  "пространство",   "функция",    "теорема",
    "задача",      "решение",    "граница",   "область",        "мера",       "число",
    "ряд",         "предел",     "точка",     "прямая",         "плоскость",  "кривая",
    "уравнение",   "система",    "состояние", "энергия",        "сила",       "поле",
    "волна",       "частица",    "опыт",      "наблюдение",     "ошибка",     "оценка",
    "вероятность", "выборка",    "среднее",   "доказательство", "быстро",     "медленно",
    "всегда",      "иногда",     "поэтому",   "например",       "следует",    "означает",
    "является",    "называется", "имеет",     "получим",        "рассмотрим", "пусть",
    "тогда",       "если",       "между",     "через",          "вместе",     "против",
};

const char *const corpus_hellenic[CORPUS_HELLENIC] = {
    "λόγος",   "χρόνος", "κόσμος",  "άνθρωπος",   "φύση",     "κίνηση",   "χώρος",      "αριθμός",
    "σημείο",  "γραμμή", "επίπεδο", "κύκλος",     "θεώρημα",  "απόδειξη", "πρόβλημα",   "λύση",
    "όριο",    "σειρά",  "μέτρο",   "συνάρτηση",  "εξίσωση",  "σύστημα",  "ενέργεια",   "δύναμη",
    "πεδίο",   "κύμα",   "πείραμα", "παρατήρηση", "σφάλμα",   "εκτίμηση", "πιθανότητα", "δείγμα",
    "γλώσσα",  "λέξη",   "βιβλίο",  "επιστήμη",   "πόλη",     "θάλασσα",  "ουρανός",    "φως",
    "γρήγορα", "αργά",   "πάντα",   "συνεπώς",    "επομένως", "μεταξύ",   "ισχύει",     "δίνει",
    "έστω",    "τότε",
};

const char corpus_han[] =
    "的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去"
    "之过家学对可她里后小么心多天而能好都然没日于起还发成事只作当想看文无开手十用主行"
    "方又如前所本见经头面公同三已老从动两长知民样现分将外但身些与高意进把法此实回二理"
    "美点月明其种声全工己话儿者向情部正名定女问力机给等几很业最间新什打便位因重被走电"
    "四第门相次东政海口使教西再平真听世气信北少关并内加化由却代军产入先山五太水万市眼"
    "体别处总才场师书比住员九笑性通目华报立马命张活难神数件安表原车白应路期叫死常提感";
