# 부호의 말: 직무, 고칠것, 안되는 까닭
role-health-worker = 보건일군
role-nurse = 간호원
role-doctor = 의사
role-specialist = 전문의사
role-section-doctor = 호담당의사
role-pharmacist = 약제사
role-facility-manager = 기관책임자
role-county-officer = 군보건일군
role-province-officer = 도보건일군
role-ministry-officer = 보건성일군
role-administrator = 관리원
role-coordinator = 조정원
role-system = 마디

error-missing = 써넣으십시오.
error-too-short = 너무 짧습니다.
error-too-long = 너무 깁니다.
error-too-simple = 누구나 먼저 해보는것입니다. 다른것으로 하십시오.
error-taken = 이미 다른 사람이 쓰고있습니다. 다른것으로 하십시오.
error-unknown = 여기에 없는것입니다.
error-letters-and-digits = 글자와 수자만, 빈칸없이 쓰십시오.
error-digits-only = 수자만 쓰십시오.
error-not-a-phone = 전화번호가 아닙니다.
error-same-as-before = 이전것과 같습니다. 다른것으로 하십시오.
error-same-person = 다른 사람을 고르십시오.
error-not-administrator = 이 사람은 관리원이 아닙니다.
error-out-of-range = 허용되지 않는 값입니다.
error-ends-before = 끝나는 시간이 시작보다 뒤여야 합니다.
error-not-the-same = 두 칸이 같지 않습니다. 다시 쓰십시오.
error-other = 다시 확인하십시오.

refused-wrong = 맞지 않습니다. 확인하고 다시 하십시오.
refused-wrong-password = 등록이름이나 암호가 맞지 않습니다. 확인하고 다시 하십시오.
refused-wrong-pin = 짧은번호가 맞지 않습니다. 다시 하거나 암호를 쓰십시오.
refused-wrong-card = 이 카드로는 여기에 들어갈수 없습니다.
refused-password-needed = 먼저 암호를 한번 쓰십시오. 그다음부터는 여기서 짧은번호나 카드면 됩니다.
refused-account-locked = 등록이 잠겨있습니다. 관리원에게 물어보십시오.
refused-ended = 시간이 지나 끝났습니다. 다시 들어가십시오.
refused-wait-seconds = 여러번 틀렸습니다. { $n }초후에 다시 하십시오.
refused-wait-minutes = 여러번 틀렸습니다. { $n }분후에 다시 하십시오.

state-two-administrators = 관리원이 적어도 둘 있어야 합니다. 먼저 다른 사람을 관리원으로 정하십시오.
state-not-first-run = 이 기관에는 이미 등록이 있습니다.
state-has-left = 이 사람은 이미 떠났습니다.
state-too-large = 내용이 너무 커서 다른 기관에 보낼수 없습니다. 글을 줄이거나 나누어 보관하십시오.
state-other = 지금은 할수 없습니다.
