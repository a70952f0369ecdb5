#!/bin/bash
# git, on a repository made for it: commits, merges, history, packing, checks:  git_test.sh LIBRARY
source "$(dirname "$0")/compare.sh"
require git awk

# Names and dates are fixed, so that every object has the same name in both runs.
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_PAGER=cat GIT_EDITOR=true
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.com GIT_AUTHOR_DATE='1700000000 +0000'
export GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.com
export GIT_COMMITTER_DATE='1700000000 +0000'

# A long history in fast-import's format: each commit changes a few of 200 files.
awk 'BEGIN {
  state = 99
  for (i = 1; i <= 1500; ++i) {
    message = "commit " i
    printf "commit refs/heads/main\ncommitter A <a@example.com> %d +0000\n", 1600000000 + i
    printf "data %d\n%s\n", length(message), message
    for (f = 0; f < 3; ++f) {
      state = (state * 69069 + 1) % 4294967296
      file = int(state / 65536) % 200
      text = ""
      for (l = 0; l < 60; ++l) text = text "file " file " line " (l * 7 + (l % 10 ? 0 : i)) "\n"
      printf "M 644 inline dir%d/file%d.txt\ndata %d\n%s\n", file % 9, file, length(text), text
    }
  }
}' > "$work/history"

cat > "$work/session.sh" <<'SESSION'
set -euo pipefail
git init -q -b main repository
cd repository
git config pack.threads 2
git fast-import --quiet < "$1"
git checkout -q main
for i in $(seq 40); do
  echo "change $i" >> "dir1/file1.txt"
  echo "new $i" > "new$i.txt"
  git add -A
  git commit -q -m "change $i"
done
git checkout -q -b side HEAD~20
echo side > side.txt
git add side.txt
git commit -q -m side
git checkout -q main
git merge -q -m merge side
git rev-parse HEAD side
git log -p --stat | git hash-object --stdin
git log --graph --oneline | git hash-object --stdin
git blame dir1/file1.txt | git hash-object --stdin
git diff HEAD~500 --stat | tail -n 1
git grep -c 'line 7' HEAD~100 | git hash-object --stdin
git repack -q -a -d -f --depth=30 --window=20
git rev-list --objects --all | git hash-object --stdin
git gc -q --prune=now
git fsck --full --strict --no-progress
git archive HEAD | git hash-object --stdin
git clone -q --no-local . ../clone
git -C ../clone rev-parse HEAD
SESSION

both 120 git bash "$work/session.sh" "$work/history"
