@real-engines
Feature: The command line
  What is typed reaches a node, what the program did comes back, and the exit code is the program's own.

  Background:
    Given the nodes:
      | node  | provides | cpu |
      | alice | no       | 1   |
      | bob   | yes      | 4   |

  Scenario: Files come back under the names that the program gave them
    Given the script "names.py":
      """
      import os
      os.makedirs('/outputs/sub dir')
      for name in ['a:b', 'back\\slash', 'tab\there', 'new\nline', 'CON', 'sub dir/ü b.txt']:
          open('/outputs/' + name, 'w').write(name)
      """
    When "alice" types "job run names.py --output o:/outputs/ --out r"
    Then the command ended with 0
    And "r/outputs/o" holds the files "a:b", "back\\slash", "tab\there", "new\nline", "CON" and "sub dir/ü b.txt"

  Scenario: A sweep is told by its states, and its exit code is that of the partition that failed
    Given the script "sweep.py":
      """
      import os, sys
      sys.exit(7 if os.environ['BIDMESH_PARTITION_INDEX'] == '1' else 0)
      """
    When "alice" types "job run sweep.py --count 3 --cpu 250m --memory 64MiB --label kind=sweep --timeout 5m"
    Then the command ended with 7
    And it said "1 failed" or "1 attempt failed" and no more than 20 lines
    When "alice" types "job list --label kind:sweep"
    Then the command ended with 0
    And it printed "Failed"

  Scenario: A program and what it reads come from a pipe
    When "alice" types "job run - --engine python one" with the input "import sys; print(sys.argv[1:])"
    Then the command ended with 0
    And it printed "['one']"
    Given the script "count.py":
      """
      import sys
      print(len(sys.stdin.buffer.read()))
      """
    When "alice" types "job run count.py --stdin -" with the input "twelve bytes"
    Then it printed "12"
    When the job is waited for by the beginning of its id
    Then the command ended with 0
    And it printed "Completed"

  Scenario: A log says where another attempt begins
    Given the case file "flaky.yaml"
    When "alice" types "job run flaky.yaml"
    Then the command ended with 3
    When the log of the job is followed
    Then the command ended with 0
    And it printed the output of one attempt, or a line where each later one begins
