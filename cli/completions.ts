/** `isolate completions SHELL`: completion scripts, made from the option tables. */

import { CLASSIC_OPTIONS } from "./classic_options.ts";
import { COMMANDS } from "./commands.ts";
import { UsageError, write } from "./complain.ts";
import { type Option, optionsOf } from "./option.ts";
import type { CommandFacts } from "./subcommand.ts";

/** The shells for which there is a completion script. */
export const COMPLETION_SHELLS = ["bash", "zsh", "fish"] as const;

/** A shell for which there is a completion script. */
export type CompletionShell = (typeof COMPLETION_SHELLS)[number];

/** What may follow a colon in a directory rule. */
const RULE_OPTIONS = ["rw", "noexec", "maybe", "dev", "norec", "fs", "tmp", "size="];

/** Reads the name of a shell. */
export function parseCompletionShell(name: string): CompletionShell {
  const shell = COMPLETION_SHELLS.find((known) => known === name);
  if (shell !== undefined) return shell;
  throw new UsageError(
    `No completions for the shell ${name}: there are ${COMPLETION_SHELLS.join(", ")}.`,
  );
}

/** Prints the completion script of a shell. */
export function printCompletions(shell: string): number {
  write(Deno.stdout, completionScript(parseCompletionShell(shell)));
  return 0;
}

/** Writes the completion script for a shell. */
export function completionScript(
  shell: CompletionShell,
  commands: readonly CommandFacts[] = COMMANDS,
): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](commands);
}

/** What kind of thing the value of an option is. */
type ValueKind = "file" | "directory" | "rule" | "variable" | "other";

const VALUE_KINDS: Readonly<Record<string, ValueKind>> = {
  "FILE": "file",
  "DIR": "directory",
  "RULE": "rule",
  "VAR[=VALUE]": "variable",
};

function valueKind({ valueName = "" }: Option<never>): ValueKind {
  return VALUE_KINDS[valueName] ?? "other";
}

/** Each command with its options; the classic command line has no name. */
function optionLists(commands: readonly CommandFacts[]): [name: string, Option<never>[]][] {
  const lists = commands.map(({ name, options }): [string, Option<never>[]] => [
    name,
    optionsOf(options),
  ]);
  return [["", [...CLASSIC_OPTIONS]], ...lists];
}

/** The words of a command's options with the equals sign of a required value. */
function optionWords(options: readonly Option<never>[]): string {
  return options.flatMap(({ long, short, value }) => [
    ...short === undefined ? [] : [`-${short}`],
    value === "required" ? `--${long}=` : `--${long}`,
  ]).join(" ");
}

function bashScript(commands: readonly CommandFacts[]): string {
  const lists = optionLists(commands);
  const names = commands.map(({ name }) => name);
  const pattern = (kind: ValueKind) =>
    lists.flatMap(([name, options]) =>
      options
        .filter((option) => option.value === "required" && valueKind(option) === kind)
        .flatMap(({ long, short }) =>
          short === undefined ? [`--${long}`] : [`-${short}`, `--${long}`]
        )
        .map((typed) => `"${name} ${typed}"`)
    ).join(" | ");
  const words = lists.map(([name, options]) =>
    `    "${name}") offers="${optionWords(options)}" ;;`
  );
  return `# Completions of isolate for bash. Load them with: source <(isolate completions bash)

# Candidates for the value of option $1 (with its command), of which $2 has been typed; $3 is put in
# front of each.
_isolate_value() {
  case $1 in
    ${pattern("file")})
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -P "$3" -- "$2") ;;
    ${pattern("directory")})
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -P "$3" -- "$2") ;;
    ${pattern("variable")})
      [[ $2 == *=* ]] || mapfile -t COMPREPLY < <(compgen -e -P "$3" -- "$2") ;;
    ${pattern("rule")})
      if [[ $2 == *:* ]]; then
        mapfile -t COMPREPLY < <(compgen -P "$3\${2%:*}:" -W "${
    RULE_OPTIONS.join(" ")
  }" -- "\${2##*:}")
      elif [[ $2 == *=* ]]; then
        compopt -o nospace 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -d -P "$3\${2%%=*}=" -- "\${2#*=}")
      else
        compopt -o nospace 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -d -P "$3" -- "$2")
      fi ;;
  esac
}

_isolate() {
  # Bash itself splits words at = and :, so that a rule would arrive in pieces; split at blanks instead.
  local line=\${COMP_LINE:0:COMP_POINT} command current previous offers typed i
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=\${words[\${#words[@]}-1]}
  previous=\${words[\${#words[@]}-2]}
  COMPREPLY=()

  for ((i = 1; i < \${#words[@]} - 1; i++)); do
    # Behind -- there are the program and its arguments, which are paths inside the box.
    [[ \${words[i]} == -- ]] && return
  done
  command=
  case \${words[1]} in
    ${names.join(" | ")}) ((\${#words[@]} > 2)) && command=\${words[1]} ;;
  esac
  case $command in
${words.join("\n")}
  esac
  case $current in
    --*=*) _isolate_value "$command \${current%%=*}" "\${current#*=}" "\${current%%=*}=" ;;
    -*)
      mapfile -t COMPREPLY < <(compgen -W "$offers" -- "$current")
      [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null ;;
    *)
      case $previous in
        --*) _isolate_value "$command $previous" "$current" "" ;;
        # In a bundle such as -sM the last letter takes the value.
        -?*) _isolate_value "$command -\${previous: -1}" "$current" "" ;;
        completions) mapfile -t COMPREPLY < <(compgen -W "${
    COMPLETION_SHELLS.join(" ")
  }" -- "$current") ;;
        *)
          ((\${#words[@]} == 2)) &&
            mapfile -t COMPREPLY < <(compgen -W "${names.join(" ")}" -- "$current") ;;
      esac ;;
  esac

  # Readline replaces only what follows the last character that splits words.
  typed=\${current%"\${current##*["$COMP_WORDBREAKS"]}"}
  [[ $typed == "" ]] || COMPREPLY=("\${COMPREPLY[@]#"$typed"}")
}

complete -o default -F _isolate isolate
`;
}

function zshScript(commands: readonly CommandFacts[]): string {
  const names = commands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`);
  const specs = (options: readonly Option<never>[], indent: string) =>
    options.map((option) => `${indent}${zshOption(option)} \\\n`).join("");
  const cases = commands.map(({ name, options, parameters }) =>
    `    ${name})
      shift words
      ((CURRENT--))
      _arguments -s \\
${specs(optionsOf(options), "        ")}        ${zshParameters(parameters)}
      return ;;`
  );
  return `#compdef isolate
# Completions of isolate for zsh. Put this file into a directory of $fpath as _isolate, or load it with:
#   source <(isolate completions zsh)

_isolate_directory_rule() {
  if compset -P '*:'; then
    compadd -- ${RULE_OPTIONS.join(" ")}
  else
    compset -P '*='
    _files -/ -S ''
  fi
}

_isolate_first_word() {
  local -a subcommands=(
${names.join("\n")}
  )
  if ((CURRENT == 2)); then
    _describe subcommand subcommands
  else
    _files
  fi
}

_isolate() {
  ((CURRENT > 2)) && case $words[2] in
${cases.join("\n")}
  esac
  _arguments -s -S \\
${specs(CLASSIC_OPTIONS, "    ")}    '*: :_isolate_first_word'
}

if [[ $funcstack[1] == _isolate ]]; then
  _isolate "$@"
else
  compdef _isolate isolate
fi
`;
}

/** Parameters are a choice of words (`a|b`), or files. */
function zshParameters(parameters: string | undefined): string {
  if (parameters === undefined) return "'*: :'";
  return parameters.includes("|")
    ? `'1:parameter:(${parameters.replaceAll("|", " ")})'`
    : "'*:file:_files'";
}

/** One argument of zsh's `_arguments`: `'*'{-b+,--box-id=}'[what it does]:ID:action'`. */
function zshOption(option: Option<never>): string {
  const { long, short, value, summary, valueName = "" } = option;
  const [shortMark, longMark] =
    { none: ["", ""], required: ["+", "="], optional: ["-", "=-"] }[value];
  const names = short === undefined
    ? `--${long}${longMark}`
    : `{-${short}${shortMark},--${long}${longMark}}`;
  const escape = (text: string) => text.replace(/[[\]:\\]/g, "\\$&");
  const action = {
    file: "_files",
    directory: "_files -/",
    rule: "_isolate_directory_rule",
    variable: "_parameters -g '*export*' -qS=",
    other: "",
  }[valueKind(option)];
  const colons = value === "optional" ? "::" : ":";
  const message = value === "none" ? "" : `${colons}${escape(valueName)}:${action}`;
  return `'*'${names}${quote(`[${escape(summary)}]${message}`)}`;
}

function fishScript(commands: readonly CommandFacts[]): string {
  const names = commands.map(({ name }) => name);
  const firsts = commands.map(({ name, summary }) =>
    `complete -c isolate -n __fish_is_first_arg -x -a ${name} -d ${quoteFish(summary)}`
  );
  const words = commands.filter(({ parameters = "" }) => parameters.includes("|")).map(
    ({ name, parameters = "" }) =>
      `complete -c isolate -n '__isolate_is ${name}' -x -a '${parameters.replaceAll("|", " ")}'`,
  );
  const options = optionLists(commands).flatMap(([name, list]) =>
    list.map((option) => fishOption(name, option))
  );
  return `# Completions of isolate for fish. Load them with: isolate completions fish | source

# Whether the line is of a subcommand, or with no argument of none.
function __isolate_is
    set -l words (commandline -opc)
    contains -- "$words[2]" ${names.join(" ")}; or set words[2] ''
    test "$words[2]" = "$argv[1]"
end

# Releases differ in whether the option itself belongs to the word that is completed.
function __isolate_directory
    __fish_complete_directories (commandline -ct | string replace -r -- '^-[^=]*=' '') ''
end

function __isolate_directory_rule
    set -l typed (string replace -r -- '^(-d|--dir=)' '' (commandline -ct))
    if string match -q -- '*:*' $typed
        printf '%s\\n' (string replace -r -- ':[^:]*$' '' $typed):{${RULE_OPTIONS.join(",")}}
    else if string match -q -- '*=*' $typed
        set -l parts (string split -m 1 -- = $typed)
        printf '%s\\n' $parts[1]=(__fish_complete_directories $parts[2] '')
    else
        __fish_complete_directories $typed ''
    end
end

${[...firsts, ...words, ...options].join("\n")}
`;
}

function fishOption(command: string, option: Option<never>): string {
  const { long, short, value, summary } = option;
  const letter = short === undefined ? "" : ` -s ${short}`;
  const argument = value !== "required" ? "" : {
    file: " -r -F",
    directory: " -x -a '(__isolate_directory)'",
    rule: " -x -a '(__isolate_directory_rule)'",
    variable: " -x -a '(set -nx)'",
    other: " -x",
  }[valueKind(option)];
  const condition = quoteFish(`__isolate_is ${command}`.trimEnd());
  return `complete -c isolate -n ${condition} -l ${long}${letter}${argument} -d ${
    quoteFish(summary)
  }`;
}

/** A word in single quotes for bash and zsh. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A word in single quotes for fish, which knows backslashes inside them. */
function quoteFish(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
