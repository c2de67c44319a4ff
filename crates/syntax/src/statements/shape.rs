//! What the kinds of node of each language are for [`Tree`](super::Tree)s.

use super::ListRole;
use crate::Language;

/// One language.
pub(super) struct Shape {
    /// Nodes whose children are statements.
    pub(super) statements: &'static [&'static str],
    /// Nodes whose children are members of a type, where the order of fields means nothing.
    pub(super) members: &'static [&'static str],
    /// Nodes that are one token.
    pub(super) atomic: &'static [&'static str],
    /// Items that are looked through for what they define: kind and field.
    pub(super) wrappers: &'static [(&'static str, &'static str)],
    /// Nodes that stand before an item and belong to it.
    pub(super) attached: &'static [&'static str],
    /// Items that define a function or type, and the field of its name; empty when all before the body names it.
    pub(super) definitions: &'static [(&'static str, &'static str)],
    /// Items that are named values of a type.
    pub(super) fields: &'static [(&'static str, &'static str)],
    /// Items that bring names in.
    pub(super) imports: &'static [&'static str],
    /// Items that leave the body.
    pub(super) exits: &'static [&'static str],
    /// What brackets mean, by the node that they are the ends of.
    pub(super) lists: &'static [(&'static str, ListRole)],
    /// Nodes whose statements stand behind a colon, without a node of their own.
    pub(super) cases: &'static [&'static str],
    /// Nodes with a list without brackets, from the first child of this field on, or the first named one; where it is no
    /// set it has a comma at least.
    pub(super) bare: &'static [(&'static str, &'static str, ListRole)],
}

use ListRole::{Arguments, Keyed, Parameters, Sequence, Set};

const PYTHON: Shape = Shape {
    statements: &["module", "block"],
    members: &[],
    atomic: &["string", "comment"],
    wrappers: &[("decorated_definition", "definition")],
    attached: &[],
    definitions: &[("function_definition", "name"), ("class_definition", "name")],
    fields: &[],
    imports: &["import_statement", "import_from_statement", "future_import_statement"],
    exits: &["return_statement", "raise_statement", "break_statement", "continue_statement"],
    lists: &[
        ("parameters", Parameters),
        ("lambda_parameters", Parameters),
        ("argument_list", Arguments),
        ("dictionary", Keyed),
        ("import_from_statement", Set),
    ],
    cases: &[],
    bare: &[
        ("import_from_statement", "name", Set),
        ("import_statement", "name", Set),
        ("global_statement", "", Set),
        ("nonlocal_statement", "", Set),
        ("expression_list", "", Sequence),
    ],
};

const SCRIPT: Shape = Shape {
    statements: &["program", "statement_block", "switch_body", "class_static_block"],
    members: &["class_body", "interface_body", "object_type"],
    atomic: &["string", "template_string", "regex", "comment", "html_comment", "jsx_text", "template_literal_type"],
    wrappers: &[("export_statement", "declaration"), ("ambient_declaration", "")],
    attached: &["decorator"],
    definitions: &[
        ("function_declaration", "name"),
        ("generator_function_declaration", "name"),
        ("function_signature", "name"),
        ("class_declaration", "name"),
        ("abstract_class_declaration", "name"),
        ("interface_declaration", "name"),
        ("enum_declaration", "name"),
        ("type_alias_declaration", "name"),
        ("internal_module", "name"),
        ("module", "name"),
        ("method_definition", "name"),
        ("method_signature", "name"),
        ("abstract_method_signature", "name"),
    ],
    fields: &[("public_field_definition", "name"), ("field_definition", "property"), ("property_signature", "name")],
    imports: &["import_statement"],
    exits: &["return_statement", "throw_statement", "break_statement", "continue_statement"],
    lists: &[
        ("formal_parameters", Parameters),
        ("arguments", Arguments),
        ("object", Keyed),
        ("object_pattern", Keyed),
        ("named_imports", Set),
        ("export_clause", Set),
    ],
    cases: &["switch_case", "switch_default"],
    bare: &[],
};

const RUST: Shape = Shape {
    statements: &["source_file", "block", "match_block"],
    members: &["declaration_list"],
    atomic: &["string_literal", "raw_string_literal", "char_literal", "line_comment", "block_comment", "lifetime"],
    wrappers: &[],
    attached: &["attribute_item"],
    definitions: &[
        ("function_item", "name"),
        ("function_signature_item", "name"),
        ("struct_item", "name"),
        ("union_item", "name"),
        ("enum_item", "name"),
        ("trait_item", "name"),
        ("mod_item", "name"),
        ("type_item", "name"),
        ("const_item", "name"),
        ("static_item", "name"),
        ("macro_definition", "name"),
        ("impl_item", ""),
    ],
    fields: &[("associated_type", "name")],
    imports: &["use_declaration", "extern_crate_declaration"],
    exits: &["return_expression", "break_expression", "continue_expression"],
    lists: &[
        ("parameters", Parameters),
        ("arguments", Arguments),
        ("use_list", Set),
        ("field_initializer_list", Keyed),
        ("field_pattern", Keyed),
    ],
    cases: &[],
    bare: &[("where_clause", "", Set)],
};

const GO: Shape = Shape {
    statements: &["source_file", "statement_list", "import_spec_list", "var_spec_list", "field_declaration_list"],
    members: &["interface_type"],
    atomic: &["interpreted_string_literal", "raw_string_literal", "rune_literal", "comment"],
    wrappers: &[],
    attached: &[],
    definitions: &[("function_declaration", "name"), ("method_declaration", "name"), ("method_elem", "name")],
    fields: &[],
    imports: &["import_declaration", "import_spec"],
    exits: &["return_statement", "break_statement", "continue_statement", "goto_statement"],
    lists: &[("parameter_list", Parameters), ("argument_list", Arguments)],
    cases: &[],
    bare: &[("expression_list", "", Sequence)],
};

const JAVA: Shape = Shape {
    statements: &["program", "block", "constructor_body", "switch_block"],
    members: &["class_body", "interface_body", "annotation_type_body", "enum_body_declarations"],
    atomic: &["string_literal", "character_literal", "line_comment", "block_comment"],
    wrappers: &[],
    attached: &[],
    definitions: &[
        ("class_declaration", "name"),
        ("interface_declaration", "name"),
        ("enum_declaration", "name"),
        ("record_declaration", "name"),
        ("annotation_type_declaration", "name"),
        ("method_declaration", "name"),
        ("constructor_declaration", "name"),
        ("compact_constructor_declaration", "name"),
    ],
    fields: &[("field_declaration", "declarator"), ("constant_declaration", "declarator")],
    imports: &["import_declaration"],
    exits: &["return_statement", "throw_statement", "break_statement", "continue_statement", "yield_statement"],
    lists: &[("formal_parameters", Parameters), ("argument_list", Arguments), ("annotation_argument_list", Keyed)],
    cases: &["switch_block_statement_group"],
    bare: &[("type_list", "", Set)],
};

const C: Shape = Shape {
    statements: &["translation_unit", "compound_statement", "field_declaration_list", "declaration_list"],
    members: &[],
    atomic: &[
        "string_literal",
        "raw_string_literal",
        "char_literal",
        "system_lib_string",
        "comment",
        "preproc_arg",
        "preproc_directive",
    ],
    wrappers: &[("template_declaration", "")],
    attached: &[],
    definitions: &[
        ("function_definition", "declarator"),
        ("class_specifier", "name"),
        ("struct_specifier", "name"),
        ("enum_specifier", "name"),
        ("union_specifier", "name"),
        ("namespace_definition", "name"),
        ("alias_declaration", "name"),
        ("concept_definition", "name"),
        ("preproc_def", "name"),
        ("preproc_function_def", "name"),
    ],
    fields: &[],
    imports: &["preproc_include", "using_declaration"],
    exits: &["return_statement", "break_statement", "continue_statement", "goto_statement", "throw_statement"],
    lists: &[("parameter_list", Parameters), ("argument_list", Arguments)],
    cases: &["case_statement"],
    bare: &[("declaration", "declarator", Sequence)],
};

const CSHARP: Shape = Shape {
    statements: &["compilation_unit", "block", "switch_body"],
    members: &["declaration_list", "accessor_list"],
    atomic: &[
        "string_literal",
        "verbatim_string_literal",
        "raw_string_literal",
        "interpolated_string_expression",
        "character_literal",
        "comment",
    ],
    wrappers: &[("global_statement", "")],
    attached: &[],
    definitions: &[
        ("class_declaration", "name"),
        ("interface_declaration", "name"),
        ("struct_declaration", "name"),
        ("record_declaration", "name"),
        ("enum_declaration", "name"),
        ("namespace_declaration", "name"),
        ("delegate_declaration", "name"),
        ("method_declaration", "name"),
        ("constructor_declaration", "name"),
        ("property_declaration", "name"),
        ("local_function_statement", "name"),
    ],
    fields: &[("field_declaration", ""), ("event_field_declaration", "")],
    imports: &["using_directive"],
    exits: &["return_statement", "throw_statement", "break_statement", "continue_statement", "yield_statement"],
    lists: &[("parameter_list", Parameters), ("argument_list", Arguments), ("initializer_expression", Keyed)],
    cases: &["switch_section"],
    bare: &[],
};

const RUBY: Shape = Shape {
    statements: &["program", "body_statement", "block_body", "then", "do", "begin_block", "parenthesized_statements"],
    members: &[],
    atomic: &[
        "string",
        "bare_string",
        "delimited_symbol",
        "regex",
        "heredoc_body",
        "string_array",
        "symbol_array",
        "subshell",
        "comment",
        "hash_key_symbol",
    ],
    wrappers: &[],
    attached: &[],
    definitions: &[
        ("method", "name"),
        ("singleton_method", "name"),
        ("class", "name"),
        ("module", "name"),
        ("singleton_class", ""),
    ],
    fields: &[],
    imports: &[],
    exits: &["return", "break", "next", "redo", "retry"],
    lists: &[("method_parameters", Parameters), ("argument_list", Arguments), ("hash", Keyed)],
    cases: &[],
    bare: &[],
};

const PHP: Shape = Shape {
    statements: &["program", "compound_statement", "switch_block", "colon_block"],
    members: &["declaration_list", "enum_declaration_list"],
    atomic: &["string", "encapsed_string", "heredoc", "nowdoc", "comment", "text", "shell_command_expression"],
    wrappers: &[],
    attached: &[],
    definitions: &[
        ("function_definition", "name"),
        ("method_declaration", "name"),
        ("class_declaration", "name"),
        ("interface_declaration", "name"),
        ("trait_declaration", "name"),
        ("enum_declaration", "name"),
    ],
    fields: &[("property_declaration", ""), ("const_declaration", ""), ("enum_case", "name")],
    imports: &["namespace_use_declaration"],
    exits: &["return_statement", "break_statement", "continue_statement", "goto_statement"],
    lists: &[("formal_parameters", Parameters), ("arguments", Arguments), ("namespace_use_group", Set)],
    cases: &["case_statement", "default_statement"],
    bare: &[],
};

pub(super) fn shape(language: Language) -> &'static Shape {
    match language {
        Language::Python => &PYTHON,
        Language::JavaScript | Language::TypeScript | Language::Tsx => &SCRIPT,
        Language::Rust => &RUST,
        Language::Go => &GO,
        Language::Java => &JAVA,
        Language::C | Language::Cpp => &C,
        Language::CSharp => &CSHARP,
        Language::Ruby => &RUBY,
        Language::Php => &PHP,
    }
}

/// Nodes whose ends are angle brackets.
pub(super) const ANGLES: &[&str] = &[
    "type_arguments",
    "type_parameters",
    "template_argument_list",
    "template_parameter_list",
    "type_argument_list",
    "type_parameter_list",
];
