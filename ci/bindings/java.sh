#!/usr/bin/env bash
# libwal for Java: `test` builds it and runs its tests and the examples; `runner` builds it for what goes
# through all languages; `package` makes the jars and has a project of its own use them; `bench`
# measures each call; `measurer` is for what measures all languages (ci/bindings/bench.sh).
set -euo pipefail
source "$(dirname "$0")/../steps.sh"

mode=${1:-test}
target=$(target_dir)
output=$target/bindings/java
# Maven's own files stay below the target directory; a second run downloads nothing.
maven=(mvn -q -B --no-transfer-progress -Dmaven.repo.local="$output/repository")
package=("${maven[@]}" -f bindings/java/pom.xml -Doutput="$output/maven")
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
library=$output/maven/native/META-INF/native/linux-x86_64/libwal_java.so

if ! has mvn || ! has javac; then
  skip "java: $mode" "no mvn or javac: apt-get install maven openjdk-17-jdk-headless"
  finish
  exit
fi

# Everything the tests start runs with -Xcheck:jni, whose warnings go past the test runner.
run_tests() {
  local log=$STEPS_DIR/java-tests
  rm -rf "$output/maven/surefire-reports"
  "${package[@]}" test 2>&1 | tee "$log"
  if grep -rqs "in native method\|FATAL ERROR in native" "$log" "$output/maven/surefire-reports"; then
    grep -rh -A5 "in native method\|FATAL ERROR in native" "$log" "$output/maven/surefire-reports"
    return 1
  fi
  grep -h '^Tests run' "$output"/maven/surefire-reports/*.txt
}

class_path() {
  echo "$output/maven/classes:$output/maven/native:$(find "$output/repository/com/h2database" -name 'h2-*.jar' | head -1)"
}

# Each example as a reader would start it, twice: the second time finds the log of the first.
run_examples() {
  local name log
  for name in Append Batch Follow Recover Outbox; do
    log=$(mktemp -d "$STEPS_DIR/java-XXXXXX")
    java -cp "$(class_path)" "examples/java/$name.java" "$log/$name" >"$log/first"
    java -cp "$(class_path)" "examples/java/$name.java" "$log/$name" >"$log/second"
    echo "-- $name"
    tail -2 "$log/second"
  done
}

# The conformance runner of Java, as bindings/conformance/README.md has it.
make_runner() {
  mkdir -p "$target/bindings/runners"
  cat >"$target/bindings/runners/java" <<RUNNER
#!/bin/sh
exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto \\
  -Djava.util.logging.config.file=$output/maven/test-classes/logging.properties \\
  -Dio.libwal.library=$library \\
  -cp $output/maven/classes:$output/maven/test-classes io.libwal.conformance.Main "\$@"
RUNNER
  chmod +x "$target/bindings/runners/java"
}

make_jars() {
  "${package[@]}" package -DskipTests
}

# What is in each jar is compared with the list that is committed: nothing more, nothing less.
compare_contents() {
  local jar found=$STEPS_DIR/java-contents
  for jar in "$output/maven"/libwal-"$version"*.jar; do
    echo "== $(basename "$jar" | sed "s/-$version//")"
    case $jar in
      # Of the pages, those that a reader opens; of the classes and sources, all.
      *-javadoc.jar) unzip -Z1 "$jar" | grep -E '^(index|io.libwal/io/libwal/(Log|package-summary))\.html$' | LC_ALL=C sort ;;
      *) unzip -Z1 "$jar" | grep -v '/$' | LC_ALL=C sort ;;
    esac
  done >"$found"
  diff "bindings/java/contents.txt" "$found"
}

# A project that knows nothing of the checkout takes the jars from a repository and uses them, on the
# class path and on the module path.
use_jars() {
  local project=$STEPS_DIR/java-consumer
  rm -rf "$output/repository/io/libwal"
  "${package[@]}" install -DskipTests
  cp -r bindings/java/consumer "$project"
  (cd "$project" && "${maven[@]}" package)
  local modules
  modules=$project/target/classes:$(find "$output/repository/io/libwal" -name "libwal-$version*.jar" |
    grep -v sources | grep -v javadoc | paste -sd:)
  java -cp "$modules" consumer.Consumer "$STEPS_DIR/java-consumer-log"
  java -p "$modules" --add-modules io.libwal.linux.x86_64 -m consumer/consumer.Consumer "$STEPS_DIR/java-consumer-log"
  rm -rf "$output/repository/io/libwal"
}

build_bench() {
  "${package[@]}" install -DskipTests
  "${maven[@]}" -f bindings/java/bench/pom.xml -Doutput="$output/bench" -Dlibwal.version="$version" package
}

leave_measurers() {
  leave_measurer java Measure
  leave_measurer java-chronicle-queue Chronicle
  leave_measurer java-h2-mvstore MvStore
}

# leave_measurer NAME CLASS
leave_measurer() {
  mkdir -p "$target/bindings/measurers"
  # Chronicle reaches into the JDK, and tells its makers unless told not to.
  cat >"$target/bindings/measurers/$1" <<MEASURER
#!/bin/sh
exec java -XX:+UseSerialGC $(tr '\n' ' ' <bindings/java/bench/jvm-flags.txt)\\
  -cp '$output/bench/classes:$output/bench/libraries/*' io.libwal.bench.$2
MEASURER
  chmod +x "$target/bindings/measurers/$1"
}

# The classes and their runner, without a test.
build_runner() {
  "${package[@]}" test-compile
}

run_bench() {
  local flags=(-f 1 -wi 3 -i 5 -w 1 -r 1)
  [ -z "${QUICK:-}" ] || flags=(-f 1 -wi 1 -i 2 -w 1 -r 1)
  local opens=()
  while read -r flag; do opens+=("$flag"); done <bindings/java/bench/jvm-flags.txt
  # A first word that is no flag says which: `ci/bindings/java.sh bench LibwalBench.append`.
  TMPDIR=$output java "${opens[@]}" -Djava.io.tmpdir="$output" -cp "$output/bench/classes:$output/bench/libraries/*" \
    org.openjdk.jmh.Main "${flags[@]}" -jvmArgsAppend "-Djava.io.tmpdir=$output ${opens[*]}" \
    -rf json -rff "$output/bench.json" "${@:2}"
  rm -rf "$output/repository/io/libwal"
  echo "written: $output/bench.json"
}

case $mode in
  test)
    step "java: tests, with -Xcheck:jni" run_tests
    step "java: examples" run_examples
    step "java: conformance runner" make_runner
    ;;
  package)
    step "java: jars and documentation without a warning" make_jars
    step "java: contents of the jars" compare_contents
    step "java: another project uses them" use_jars
    ;;
  runner)
    step "java: build" build_runner
    step "java: conformance runner" make_runner
    ;;
  bench)
    step "java: build, with its peers" build_bench
    step "java: benchmark" run_bench "$@"
    ;;
  measurer)
    step "java: build, with its peers" build_bench
    step "java: measurers" leave_measurers
    ;;
  *)
    echo "usage: ci/bindings/java.sh [test|runner|package|bench|measurer]"
    exit 2
    ;;
esac
finish
