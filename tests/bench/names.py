"""Invented names of many scripts, each with the ways in which agencies write it in Latin letters."""

from __future__ import annotations

import random
from typing import NamedTuple


class Word(NamedTuple):
    """One name: its Latin spellings, the usual one first, and how it stands in its own script if that is another."""

    spellings: tuple[str, ...]
    original: str | None = None


class Named(NamedTuple):
    """Family name and given names of one person, and the nationality that goes with them."""

    family: Word
    given: tuple[Word, ...]
    state: str


def _plain(text: str) -> list[Word]:
    return [Word(tuple(each.split("/"))) for each in text.split()]


def _own_script(text: str) -> list[Word]:
    return [
        Word(tuple(latin.replace("_", " ").split("/")), own)
        for own, latin in (each.split("=") for each in text.split())
    ]


# Letters of Russian by ICAO Doc 9303, and as English, German and French papers write them.
_LETTERS = "абвгдежзийклмнопрстуфхцчшщъыьэюя"
_SYSTEMS = [
    dict(zip(_LETTERS, system.split("|"), strict=True))
    for system in (
        "a|b|v|g|d|e|zh|z|i|i|k|l|m|n|o|p|r|s|t|u|f|kh|ts|ch|sh|shch|ie|y||e|iu|ia",
        "a|b|v|g|d|e|zh|z|i|y|k|l|m|n|o|p|r|s|t|u|f|kh|ts|ch|sh|shch||y||e|yu|ya",
        "a|b|w|g|d|e|sch|s|i|j|k|l|m|n|o|p|r|s|t|u|f|ch|z|tsch|sch|schtsch||y||e|ju|ja",
        "a|b|v|g|d|e|j|z|i|i|k|l|m|n|o|p|r|s|t|ou|f|kh|ts|tch|ch|chtch||y||e|iou|ia",
    )
]


def _russian(text: str) -> list[Word]:
    return [
        Word(
            tuple(dict.fromkeys("".join(system[letter] for letter in own.lower()).title() for system in _SYSTEMS)), own
        )
        for own in text.split()
    ]


def _product(first: str, second: str) -> list[str]:
    return [f"{one}{other}" for one in first.split() for other in second.split()]


def _joined(first: str, second: str) -> list[Word]:
    return [Word((name,)) for name in _product(first, second)]


_GERMAN = [
    *_joined(
        "Berg Stein Hof Wald Feld Bach Linden Eich Birken Roth Weiss Schwarz Neu Alten Ober Unter Brunn Kirch Kalk",
        "mann bauer müller meier huber berger thaler brink kamp haus hausen egger auer ner",
    ),
    *_plain("Müller/Mueller/Muller Schäfer/Schaefer/Schafer Weiß/Weiss Größmann/Groessmann Jäger/Jaeger/Jager"),
]
_SPANISH = _plain(
    "García/Garcia Fernández/Fernandez González/Gonzalez Rodríguez/Rodriguez López/Lopez Martínez/Martinez "
    "Sánchez/Sanchez Pérez/Perez Gómez/Gomez Ruiz Hernández/Hernandez Jiménez/Jimenez Díaz/Diaz Moreno Muñoz/Munoz "
    "Álvarez/Alvarez Romero Alonso Gutiérrez/Gutierrez Navarro Torres Domínguez/Dominguez Vázquez/Vazquez Ramos Gil "
    "Ramírez/Ramirez Serrano Blanco Molina Morales Suárez/Suarez Ortega Delgado Castro Ortiz Rubio Marín/Marin Sanz"
)
_POLISH = _joined(
    "Kowal Wiśniew Zieliń Szymań Woźnia Kozłow Jankow Wojciechow Kwiatkow Krawczyń Piotrow Grabow Pawłow Michal "
    "Nowakow Wieczor Jabłoń Majew Olszew Stępniew Malinow Jaworow Adamczew Dudziń Gorzew Sikorzyń",
    "ski czyk cki",
)
_RUSSIAN = _russian(
    " ".join(
        _product(
            "Иван Петр Щербак Чайков Жуков Шишк Хрущ Цветк Юшк Яковл Кузьм Гаврил Ефим Тимоф Зайц Белоус Воробь Гончар "
            "Долгор Журавл Капуст Лобан Мельник Новик Орл Пономар Рыбак Сорок Тарас Ушак Федос Харит Чернов Шевц Яшк",
            "ов ин ский евич",
        )
    )
)
_ARABIC = _own_script(
    "الخالد=Al-Khalid/El_Khaled/Alkhaled الحسيني=Al-Husseini/El_Husayni/Alhusaini المصري=Al-Masri/El_Masry "
    "الشامي=Al-Shami/Ash_Shami/Chami البغدادي=Al-Baghdadi/El_Bagdadi حداد=Haddad/Hadad منصور=Mansour/Mansur "
    "الرشيد=Al-Rashid/Al_Rasheed/Rachid خوري=Khoury/Khouri/Huri سليمان=Suleiman/Soliman/Sulayman قاسم=Qasim/Kassem "
    "يوسف=Yusuf/Youssef/Yousif ابراهيم=Ibrahim/Ebrahim جابر=Jaber/Jabir/Djaber زيدان=Zidan/Zaydan/Zeidan "
    "شريف=Sharif/Cherif/Shareef طاهر=Taher/Tahir عثمان=Uthman/Osman/Othman فاروق=Faruq/Farouk/Farooq "
    "نجار=Najjar/Naggar/Nadjar صالح=Saleh/Salih ناصر=Nasser/Nasir/Naser داود=Dawood/Daoud/Dawud هاشم=Hashim/Hashem "
    "كريم=Karim/Kareem راشد=Rashed/Rachid سعيد=Said/Saeed/Sayed عمار=Ammar/Amar بشير=Bashir/Bachir"
)
_GREEK = _own_script(
    "Παπαδόπουλος=Papadopoulos Γεωργίου=Georgiou/Yeoryiou Νικολάου=Nikolaou/Nicolaou Αγγελόπουλος=Angelopoulos/"
    "Aggelopoulos Χατζής=Chatzis/Hatzis Βασιλείου=Vasileiou/Vassiliou Μπακάλης=Bakalis/Mpakalis "
    "Οικονόμου=Oikonomou/Economou Ευαγγέλου=Evangelou/Euaggelou Θεοδώρου=Theodorou/Teodorou Ξανθός=Xanthos/Ksanthos "
    "Καραγιάννης=Karagiannis/Karayannis Δημητρίου=Dimitriou/Demetriou Ψαρράς=Psarras/Psaras Ζαχαρίου=Zachariou/"
    "Zahariou Λαμπρόπουλος=Lampropoulos/Lambropoulos Σταυρόπουλος=Stavropoulos/Stauropoulos Φωτίου=Fotiou/Photiou"
)
_HAN = _own_script(
    "王=Wang 李=Li/Lee 张=Zhang/Chang 刘=Liu 陈=Chen/Chan 杨=Yang 黄=Huang/Hwang 赵=Zhao/Chao 周=Zhou/Chou 吴=Wu/Woo "
    "徐=Xu/Hsu 孙=Sun 朱=Zhu/Chu 马=Ma 胡=Hu 郭=Guo/Kuo 林=Lin/Lim 何=He/Ho 高=Gao/Kao 罗=Luo/Lo 郑=Zheng/Cheng "
    "梁=Liang 谢=Xie/Hsieh 宋=Song/Sung 唐=Tang 许=Xu 邓=Deng 冯=Feng/Fung 曹=Cao/Tsao 曾=Zeng/Tseng"
)
_HAN_SYLLABLES = _own_script(
    "伟=wei 明=ming 华=hua 建=jian/chien 国=guo/kuo 志=zhi/chih 强=qiang/chiang 军=jun/chun 平=ping 海=hai 文=wen "
    "小=xiao/hsiao 春=chun 玉=yu 金=jin/chin 红=hong/hung 云=yun 天=tian/tien 龙=long/lung 林=lin 东=dong/tung 山=shan "
    "德=de/te 荣=rong/jung 永=yong/yung 光=guang/kuang 庆=qing/ching 新=xin/hsin"
)
_VIETNAMESE = _plain(
    "Nguyễn/Nguyen Trần/Tran Lê/Le Phạm/Pham Huỳnh/Huynh Phan Vũ/Vu Đặng/Dang Bùi/Bui Đỗ/Do Hồ/Ho Ngô/Ngo Dương/Duong"
)
_TURKISH = _joined("Yıl Öz Ak Kara Demir Gün Şah Çelik Kaya Ay Er Taş", "maz türk can oğlu dağ bay taş kan")

_MALE = {
    "DEU": _plain("Jonas Lukas Felix Jörg/Joerg/Jorg Günter/Guenter/Gunter Matthias Klaus Stefan/Stephan Philipp Karl"),
    "ESP": _plain("José/Jose Juan Antonio Javier Ángel/Angel Jesús/Jesus Raúl/Raul Sergio Andrés/Andres"),
    "POL": _plain("Krzysztof Paweł/Pawel Łukasz/Lukasz Grzegorz Wojciech Tomasz Michał/Michal"),
    "RUS": _russian("Александр Сергей Дмитрий Юрий Евгений Михаил Алексей Николай Владимир Игорь Павел"),
    "SYR": _own_script("محمد=Mohammed/Muhammad/Mohamed أحمد=Ahmad/Ahmed محمود=Mahmoud/Mahmud حسين=Hussein/Husayn "
                       "خالد=Khalid/Khaled عمر=Omar/Umar علي=Ali/Aly مصطفى=Mustafa/Mostafa طارق=Tariq/Tarek/Tareq "
                       "جمال=Jamal/Gamal/Djamal بلال=Bilal/Belal"),
    "GRC": _own_script("Γεώργιος=Georgios/Yeoryios Νικόλαος=Nikolaos/Nicolaos Δημήτριος=Dimitrios/Demetrios "
                       "Χρήστος=Christos/Hristos Παναγιώτης=Panagiotis/Panayotis Θεόδωρος=Theodoros/Teodoros"),
    "VNM": _plain("Minh Hùng/Hung Tuấn/Tuan Dũng/Dung Văn/Van Quang Đức/Duc Thành/Thanh"),
    "TUR": _plain("Mehmet Mustafa Ahmet Çağlar/Caglar Özgür/Oezguer/Ozgur İbrahim/Ibrahim Şükrü/Suekrue/Sukru"),
}  # fmt: skip
_FEMALE = {
    "DEU": _plain("Anna Lena Sophie/Sofie Käthe/Kaethe/Kathe Jana Birgit Ursula Katharina Greta Paula Annegret"),
    "ESP": _plain("María/Maria Lucía/Lucia Carmen Pilar Inés/Ines Sofía/Sofia Concepción/Concepcion Begoña/Begona"),
    "POL": _plain("Agnieszka Małgorzata/Malgorzata Katarzyna Joanna Zofia Elżbieta/Elzbieta Jadwiga Halina"),
    "RUS": _russian("Анна Ольга Юлия Екатерина Наталья Татьяна Ирина Светлана Людмила Евгения"),
    "SYR": _own_script("فاطمة=Fatima/Fatma/Fatimah عائشة=Aisha/Aicha مريم=Maryam/Mariam زينب=Zaynab/Zeinab "
                       "نور=Nour/Nur هدى=Huda/Houda سعاد=Suad/Souad"),
    "GRC": _own_script("Μαρία=Maria Ελένη=Eleni/Helene Αικατερίνη=Aikaterini/Ekaterini Βασιλική=Vasiliki/Vassiliki "
                       "Σοφία=Sofia/Sophia Ευγενία=Evgenia/Eugenia"),
    "VNM": _plain("Thị/Thi Hồng/Hong Lan Mai Hương/Huong Ngọc/Ngoc Phương/Phuong"),
    "TUR": _plain("Ayşe/Ayse Fatma Emine Gülşen/Guelsen/Gulsen Zeynep Elif Şule/Sule Özlem/Oezlem/Ozlem"),
}  # fmt: skip
_FAMILIES = {
    "DEU": _GERMAN, "ESP": _SPANISH, "POL": _POLISH, "RUS": _RUSSIAN, "SYR": _ARABIC, "GRC": _GREEK,
    "VNM": _VIETNAMESE, "TUR": _TURKISH,
}  # fmt: skip
STATES = (*_FAMILIES, "CHN")


def name_of(dice: random.Random, sex: str) -> Named:
    """A name drawn by chance."""
    state = dice.choice(STATES)
    if state == "CHN":
        first, second = dice.sample(_HAN_SYLLABLES, 2)
        spellings = tuple(
            dict.fromkeys((first.spellings[at] + second.spellings[at2]).title() for at, at2 in ((0, 0), (-1, -1)))
        )
        return Named(dice.choice(_HAN), (Word(spellings, f"{first.original}{second.original}"),), state)
    given = dice.sample((_MALE if sex == "male" else _FEMALE)[state], 2 if dice.random() < 0.5 else 1)
    family = dice.choice(_FAMILIES[state])
    if state == "ESP":
        second = dice.choice(_SPANISH)
        family = Word(tuple(f"{one} {other}" for one, other in zip(family.spellings, second.spellings, strict=False)))
    return Named(family, tuple(given), state)


def given_of(dice: random.Random, name: Named, sex: str) -> tuple[Word, ...]:
    """Another given name from the same language."""
    while True:
        other = name_of(dice, sex)
        if other.state == name.state and not set(other.given) & set(name.given):
            return other.given[:1]
