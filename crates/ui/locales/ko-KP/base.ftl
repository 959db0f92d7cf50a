# 모든 페지에 있는 말
skip-to-main = 본문으로 가기
back = 뒤로
search = 찾기
lock = 잠그기
switch-person = 사람 바꾸기
to-first-page = 첫 페지로
no-go-back = 아니, 돌아가기
send-again = 다시 보내기
confirm-title = 확인
practice-band = 련습방식입니다. 여기서 쓴것은 어디에도 보내지 않습니다.
practice-paper = 련습용 — 진료에 쓰지 마십시오

road-connected = 련결됨
road-waiting = { $n }건 대기중
road-down = { $since }부터 련결 없음
road-alone = 웃단위와 련결하지 않음

time-now = 방금
time-today = 오늘
time-yesterday = 어제
time-ago-minutes = { $n }분 전
time-ago-hours = { $n }시간 전
time-ago-days = { $n }일 전

date-year = 년
date-month = 월
date-day = 일

age-days = 생후 { $n }일
age-months = { $n }개월
age-years = { $n }살
age-about = 약 { $n }살
age-unknown = 나이 모름
age-ahead = 나이 모름: 적힌 난 날이 앞날임, 다시 물을것
age-too-old = 나이 모름: 적힌대로면 120살이 넘음, 다시 물을것

sex-female = 녀자
sex-male = 남자
sex-other = 기타
sex-unknown = 성별 모름

patient = 환자
patient-no-name = 이름 모름
patient-mother = 어머니
patient-mother-unknown = 모름
patient-provisional = 림시
patient-died = 사망
allergy-known = 알레르기:
allergy-not-asked = 알레르기를 아직 묻지 않았습니다
allergy-none = 알려진 알레르기 없음

step-done = 끝남
step-now = 기다리는중
step-ahead = 아직 아님

errors-title = { $n }군데를 고치십시오
note-saved = 보관하였습니다.
draft-saved = 쓴 내용을 보관하였습니다
draft-unsaved = 쓴 내용이 아직 보관되지 않았습니다

print = 인쇄
print-how = A4 종이에 인쇄됩니다 (Ctrl+P)
printed-at = { $when } 인쇄

stale-title = 페지가 오래되였습니다
stale-send-again = 쓴 내용은 그대로 있습니다. 아래 단추를 눌러 다시 보내십시오.
stale-go-back = 뒤로 가서 페지를 새로 연 다음 다시 하십시오.

trouble-not-found = 그런 페지가 없습니다
trouble-not-found-do = 주소를 확인하거나 첫 페지에서 찾으십시오.
trouble-not-allowed = 이 일을 할수 없습니다
trouble-not-allowed-do = 권한이 있는 사람으로 바꾸거나 책임자에게 물어보십시오.
trouble-too-large = 보낸 내용이 너무 큽니다
trouble-too-large-do = 더 작은 파일을 고르거나 나누어 보내십시오.
trouble-request = 보낸 내용을 읽을수 없습니다
trouble-request-do = 뒤로 가서 다시 하십시오.
trouble-broken = 일을 끝내지 못하였습니다
trouble-broken-do = 보관된 기록은 그대로 있습니다. 조금 있다가 다시 하고 계속되면 책임자에게 알리십시오.

trouble-disk = 보관하지 못하였습니다
trouble-disk-do = 지금 이 콤퓨터의 디스크에 쓸수 없습니다. 이미 보관된 기록은 그대로 있으며 볼수 있습니다. 종이에 적었다가 우의 붉은 글이 없어지면 다시 하십시오.
disk-full = 이 콤퓨터의 디스크가 꽉 차서 새 기록을 보관할수 없습니다. 진료기록은 볼수 있습니다. 관리원을 불러 자리를 내고 그때까지는 종이에 적으십시오.
disk-read-only = 이 콤퓨터의 디스크에 쓸수 없어 새 기록을 보관할수 없습니다. 진료기록은 볼수 있습니다. 관리원을 부르고 그때까지는 종이에 적으십시오.
disk-failing = 이 콤퓨터의 디스크에 고장이 있어 지금 새 기록을 보관할수 없습니다. 진료기록은 볼수 있습니다. 관리원을 곧 부르고 그때까지는 종이에 적으십시오.
