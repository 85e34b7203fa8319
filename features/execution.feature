@real-engines
Feature: Running a job
  The provider runs the program in a sandbox and within its limits, and hands back what it printed,
  how it ended and the files it left, each by content id.

  Background:
    Given the nodes:
      | node  | provides | cpu |
      | alice | no       | 1   |
      | bob   | yes      | 4   |

  Scenario: What a program prints and writes comes back by content id
    Given the script "greet.py":
      """
      import sys
      print('to the user')
      print('to the operator', file=sys.stderr)
      open('/outputs/answer.txt', 'w').write('42')
      """
    When "alice" posts a job that runs "greet.py":
      """
      outputs: [{ name: out, path: /outputs }]
      """
    Then the job completes on "bob"
    And the execution ended with exit code 0: completed
    And the result of partition 0 has the files:
      | path                   | content           |
      | outputs/out/answer.txt | 42                |
      | stderr                 | to the operator\n |
      | stdout                 | to the user\n     |
    And every file of the result is on "alice" under the content id of its bytes

  Scenario: A Python script works on a CSV file
    Given the script "sum.py":
      """
      import csv, json
      rows = list(csv.DictReader(open('/inputs/sales.csv')))
      total = sum(int(row['count']) for row in rows)
      json.dump({'rows': len(rows), 'total': total}, open('/outputs/total.json', 'w'))
      print(total)
      """
    When "alice" posts a job that runs "sum.py":
      """
      inputs:
        - target: /inputs/sales.csv
          source: { text: "city,count\nBonn,3\nKyiv,39\n" }
      outputs: [{ name: report, path: /outputs }]
      """
    Then the job completes on "bob"
    And the result of partition 0 has the files:
      | path                      | content                  |
      | outputs/report/total.json | {"rows": 2, "total": 42} |
      | stdout                    | 42\n                     |

  Scenario: Bytes go in as standard input, and what a program leaves where it starts comes back
    When "alice" posts a job:
      """
      engine:
        type: python
        params:
          script: { text: "import sys; open('bytes.txt', 'w').write(str(list(sys.stdin.buffer.read())))" }
          stdin: { base64: //4A }
      """
    Then the job completes on "bob"
    And the result of partition 0 has the files:
      | path                    | content       |
      | outputs/files/bytes.txt | [255, 254, 0] |
    And every file of the result is on "alice" under the content id of its bytes

  Scenario: A program that fails fails its job, and its output can still be read
    Given the script "broken.py":
      """
      import sys
      print('so far so good')
      sys.exit(7)
      """
    When "alice" posts a job that runs "broken.py"
    Then the job fails: "Partition 0 failed (exit-code with exit code 7)"
    And the execution ended with exit code 7: exit-code
    And the log of the job is "so far so good\n"

  Scenario Outline: A program that does not end well is ended for a reason that is named
    When "alice" posts a job that <program>:
      """
      timeouts: { execution: <limit> }
      resources: { memory: 64MiB }
      """
    Then the job fails: "Partition 0 failed (<reason>"
    And the execution ended: <reason>

    Examples:
      | program                     | limit | reason         |
      | never ends                  | 700ms | timeout        |
      | prints without end          | 20s   | output-limit   |
      | is not a WebAssembly module | 20s   | invalid-module |
      | executes unreachable        | 20s   | trap           |
      | takes all memory            | 20s   | out-of-memory  |

  Scenario: Each partition knows its place
    When "alice" posts a job that prints its environment:
      """
      count: 3
      """
    Then the job completes
    And the partitions 0, 1 and 2 of 3 each printed their own index

  Scenario: Live output can be followed, and a running job can be cancelled
    When "alice" posts a job that prints "ready" and never ends
    And its log is followed
    Then "ready" is read from the log while the job runs
    When the job is cancelled
    Then the job is stopped
    And the log ends
    And the execution was cancelled
    And the log of the job is "ready"
