import type { Subcommand } from "./help.ts";
import { JUDGE_OPTIONS } from "./judge_options.ts";
import { CLASSIC_OPTIONS } from "./option_table.ts";
import type { ClassicOption } from "./option_values.ts";
import { UsageError } from "./complain.ts";

/** The shells for which there is a completion script. */
export const COMPLETION_SHELLS = ["bash", "zsh", "fish"] as const;

/** A shell for which there is a completion script. */
export type CompletionShell = (typeof COMPLETION_SHELLS)[number];

/** What may follow a colon in a directory rule. */
const DIRECTORY_OPTIONS = ["rw", "noexec", "maybe", "dev", "norec", "fs", "tmp"];

/** Reads the name of a shell. */
export function parseCompletionShell(name: string): CompletionShell {
  const shell = COMPLETION_SHELLS.find((known) => known === name);
  if (shell !== undefined) return shell;
  throw new UsageError(
    `No completions for the shell ${name}: there are ${COMPLETION_SHELLS.join(", ")}.`,
  );
}

/** Writes the completion script for a shell, from the option table. */
export function completionScript(
  shell: CompletionShell,
  subcommands: readonly Subcommand[] = [],
): string {
  switch (shell) {
    case "bash":
      return bashScript(subcommands);
    case "zsh":
      return zshScript(subcommands);
    case "fish":
      return fishScript(subcommands);
  }
}

/** What kind of thing the value of an option is. */
type ValueKind = "file" | "directory" | "rule" | "variable" | "other";

function valueKind({ valueName }: ClassicOption): ValueKind {
  switch (valueName) {
    case "FILE":
      return "file";
    case "DIR":
      return "directory";
    case "RULE":
      return "rule";
    case "VAR[=VALUE]":
      return "variable";
    default:
      return "other";
  }
}

/** The options with a value of one kind, as patterns of a shell's `case`. */
function casePattern(kind: ValueKind): string {
  return CLASSIC_OPTIONS
    .filter((option) => option.value === "required" && valueKind(option) === kind)
    .flatMap(({ long, short }) => short === undefined ? [`--${long}`] : [`-${short}`, `--${long}`])
    .join(" | ");
}

/** The options of `isolate judge` as they are typed. */
function judgeWords(): string {
  return JUDGE_OPTIONS.map(({ long, valueName }) =>
    `--${long}${valueName === undefined ? "" : "="}`
  )
    .join(" ");
}

function bashScript(subcommands: readonly Subcommand[]): string {
  const words = CLASSIC_OPTIONS.flatMap(({ long, short, value }) => [
    ...short === undefined ? [] : [`-${short}`],
    value === "required" ? `--${long}=` : `--${long}`,
  ]);
  return `# Completions of isolate for bash. Load them with: source <(isolate completions bash)

# Candidates for the value of option $1, of which $2 has been typed; $3 is put in front of each.
_isolate_value() {
  case $1 in
    ${casePattern("file")})
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -P "$3" -- "$2") ;;
    ${casePattern("directory")})
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -P "$3" -- "$2") ;;
    ${casePattern("variable")})
      [[ $2 == *=* ]] || mapfile -t COMPREPLY < <(compgen -e -P "$3" -- "$2") ;;
    ${casePattern("rule")})
      if [[ $2 == *:* ]]; then
        mapfile -t COMPREPLY < <(compgen -P "$3\${2%:*}:" -W "${
    DIRECTORY_OPTIONS.join(" ")
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
  local line=\${COMP_LINE:0:COMP_POINT} current previous typed i
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=\${words[\${#words[@]}-1]}
  previous=\${words[\${#words[@]}-2]}
  COMPREPLY=()

  for ((i = 1; i < \${#words[@]} - 1; i++)); do
    # Behind -- stand the program and its arguments, which are paths inside the box.
    [[ \${words[i]} == -- ]] && return
  done
  if [[ \${words[1]} == judge ]]; then
    case $current in
      --*=*)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -P "\${current%%=*}=" -- "\${current#*=}") ;;
      -*)
        mapfile -t COMPREPLY < <(compgen -W "${judgeWords()}" -- "$current")
        [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null ;;
    esac
  else case $current in
    --*=*) _isolate_value "\${current%%=*}" "\${current#*=}" "\${current%%=*}=" ;;
    -*)
      mapfile -t COMPREPLY < <(compgen -W "${words.join(" ")}" -- "$current")
      [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null ;;
    *)
      case $previous in
        --*) _isolate_value "$previous" "$current" "" ;;
        # In a bundle such as -sM the last letter takes the value.
        -?*) _isolate_value "-\${previous: -1}" "$current" "" ;;
        completions) mapfile -t COMPREPLY < <(compgen -W "${
    COMPLETION_SHELLS.join(" ")
  }" -- "$current") ;;
        *)
          ((\${#words[@]} == 2)) &&
            mapfile -t COMPREPLY < <(compgen -W "${
    subcommands.map(({ name }) => name).join(" ")
  }" -- "$current") ;;
      esac ;;
  esac fi

  # Readline replaces only what stands behind the last character that splits words.
  typed=\${current%"\${current##*["$COMP_WORDBREAKS"]}"}
  [[ $typed == "" ]] || COMPREPLY=("\${COMPREPLY[@]#"$typed"}")
}

complete -o default -F _isolate isolate
`;
}

function zshScript(subcommands: readonly Subcommand[]): string {
  const specs = CLASSIC_OPTIONS.map((option) => `  ${zshOption(option)}`);
  const subs = subcommands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`);
  return `#compdef isolate
# Completions of isolate for zsh. Put this file into a directory of $fpath as _isolate, or load it with:
#   source <(isolate completions zsh)

_isolate_directory_rule() {
  if compset -P '*:'; then
    compadd -- ${DIRECTORY_OPTIONS.join(" ")}
  else
    compset -P '*='
    _files -/ -S ''
  fi
}

_isolate_first_word() {
  local -a subcommands=(
${subs.join("\n")}
  )
  if ((CURRENT == 2)); then
    _describe subcommand subcommands
  elif [[ $words[2] == completions ]]; then
    compadd -- ${COMPLETION_SHELLS.join(" ")}
  else
    _files
  fi
}

_isolate() {
  if ((CURRENT > 2)) && [[ $words[2] == judge ]]; then
    shift words
    ((CURRENT--))
    _arguments -s \\
${zshJudge()} \\
      '*:file:_files'
    return
  fi
  _arguments -s -S \\
${specs.join(" \\\n")} \\
    '*: :_isolate_first_word'
}

if [[ $funcstack[1] == _isolate ]]; then
  _isolate "$@"
else
  compdef _isolate isolate
fi
`;
}

/** All of what values can be are files, or no use to be guessed. */
function zshJudge(): string {
  return JUDGE_OPTIONS.map(({ long, short, valueName, summary }) => {
    const value = valueName === undefined ? "" : `:${valueName}:_files`;
    const mark = valueName === undefined ? "" : "=";
    const names = short === undefined
      ? `--${long}${mark}`
      : `{-${short}${valueName === undefined ? "" : "+"},--${long}${mark}}`;
    const description = `[${summary.replace(/[[\]:\\]/g, "\\$&")}]`;
    return `      '*'${names}${quote(description + value)}`;
  }).join(" \\\n");
}

/** One argument of zsh's `_arguments`: `'*'{-b+,--box-id=}'[what it does]:ID:action'`. */
function zshOption(option: ClassicOption): string {
  const { long, short, value, summary, valueName = "VALUE" } = option;
  const [shortMark, longMark] =
    { none: ["", ""], required: ["+", "="], optional: ["-", "=-"] }[value];
  const names = short === undefined
    ? `--${long}${longMark}`
    : `{-${short}${shortMark},--${long}${longMark}}`;
  const description = `[${summary.replace(/[[\]:\\]/g, "\\$&")}]`;
  const action = {
    file: "_files",
    directory: "_files -/",
    rule: "_isolate_directory_rule",
    variable: "_parameters -g '*export*' -qS=",
    other: "",
  }[valueKind(option)];
  const colons = value === "optional" ? "::" : ":";
  const message = value === "none"
    ? ""
    : `${colons}${valueName.replace(/[[\]:\\]/g, "\\$&")}:${action}`;
  return `'*'${names}${quote(description + message)}`;
}

function fishScript(subcommands: readonly Subcommand[]): string {
  const lines = CLASSIC_OPTIONS.map(fishOption);
  const subs = subcommands.map(({ name, summary }) =>
    `complete -c isolate -n __fish_is_first_arg -x -a ${name} -d ${quoteFish(summary)}`
  );
  return `# Completions of isolate for fish. Load them with: isolate completions fish | source

function __isolate_directory_rule
    set -l typed (string replace -r -- '^(-d|--dir=)' '' (commandline -ct))
    if string match -q -- '*:*' $typed
        printf '%s\\n' (string replace -r -- ':[^:]*$' '' $typed):{${DIRECTORY_OPTIONS.join(",")}}
    else if string match -q -- '*=*' $typed
        set -l parts (string split -m 1 -- = $typed)
        printf '%s\\n' $parts[1]=(__fish_complete_directories $parts[2] '')
    else
        __fish_complete_directories $typed ''
    end
end

${[...lines, ...subs, ...fishJudge()].join("\n")}
complete -c isolate -n '__fish_seen_subcommand_from completions' -x -a '${
    COMPLETION_SHELLS.join(" ")
  }'
`;
}

function fishJudge(): string[] {
  return JUDGE_OPTIONS.map(({ long, short, valueName, summary }) => {
    const letter = short === undefined ? "" : ` -s ${short}`;
    const value = valueName === undefined ? "" : " -r -F";
    return `complete -c isolate -n '__fish_seen_subcommand_from judge' -l ${long}${letter}${value} ` +
      `-d ${quoteFish(summary)}`;
  });
}

function fishOption(option: ClassicOption): string {
  const letter = option.short === undefined ? "" : ` -s ${option.short}`;
  const argument = option.value !== "required" ? "" : {
    file: " -r -F",
    directory: " -x -a '(__fish_complete_directories (commandline -ct) \"\")'",
    rule: " -x -a '(__isolate_directory_rule)'",
    variable: " -x -a '(set -nx)'",
    other: " -x",
  }[valueKind(option)];
  return `complete -c isolate -l ${option.long}${letter}${argument} -d ${
    quoteFish(option.summary)
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
